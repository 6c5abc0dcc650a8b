import type { SlaFigure, SlaMonth } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Card, ErrorState, PageTitle, Section, SkeletonRows } from "../../components/page.tsx";
import { ShareBar } from "../../components/share-bar.tsx";
import { Notice, StateBadge } from "../../components/state.tsx";
import { TableFrame } from "../../components/table-frame.tsx";
import { formatCount, formatDay, plural } from "../../format.ts";
import { DayChart } from "./day-chart.tsx";
import { slaQuery } from "./queries.ts";
import { FIGURE_NAMES, FIGURE_STATES, figureText, monthText, percentText } from "./words.ts";

export function SlaPage() {
  const [month, setMonth] = useState<string | undefined>(undefined);
  const query = useQuery(slaQuery(month));
  const { data } = query;
  return (
    <>
      <PageTitle
        title="Service levels"
        lead="Measured by the service itself, every minute. A minute in which nobody measured is not known, and never counted as up."
        actions={data && <MonthPicker shown={data} onChoose={setMonth} />}
      />
      {query.isPending && <SkeletonRows label="Loading service levels" />}
      {query.isError && !data && <ErrorState error={query.error} onRetry={query.refetch} />}
      {data && <Month data={data} />}
    </>
  );
}

function MonthPicker({ shown, onChoose }: { shown: SlaMonth; onChoose: (month: string) => void }) {
  return (
    <label className="grid gap-1 text-sm">
      <span className="sr-only">Month</span>
      <select
        className="control"
        value={shown.month}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {shown.months.map((month) => (
          <option key={month} value={month}>
            {monthText(month)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Month({ data }: { data: SlaMonth }) {
  const { components, budget, figures, days, measured_since } = data;
  return (
    <>
      {measured_since === null && (
        <Notice tone="waiting">Nothing has been measured yet. Come back in some minutes.</Notice>
      )}
      <Section title="Error budget" lead="How long the API may be down in this month, at 99.9 %.">
        <Budget budget={budget} />
      </Section>
      <Section
        title="Uptime"
        lead="In minutes; maintenance that was announced 24 hours ahead does not count."
      >
        <Uptime components={components} />
      </Section>
      <Section
        title="Figures"
        lead="Held against what is promised. Of fewer than 1,000 requests in a quarter of an hour nothing is told."
      >
        <Figures figures={figures} />
      </Section>
      {days.length > 0 && (
        <Section title="By day">
          <div className="grid gap-4 sm:grid-cols-2">
            <DayChart
              title="Minutes down"
              days={days}
              figureOf={({ minutes, availability }) => (availability === null ? null : minutes.down)}
              textOf={(value) => plural(value, "minute")}
              target={1}
            />
            <DayChart
              title="Minutes not known"
              days={days}
              figureOf={({ day, minutes }) =>
                measured_since === null || day < measured_since ? null : minutes.unknown
              }
              textOf={(value) => plural(value, "minute")}
              target={1}
            />
            <DayChart
              title="Mean answer"
              days={days}
              figureOf={({ mean_ms, probe_ms }) => mean_ms ?? probe_ms}
              textOf={(value) => figureText("mean_ms", value)}
              target={200}
            />
            <DayChart
              title="Failed requests"
              days={days}
              figureOf={({ error_share }) => error_share}
              textOf={(value) => percentText(value)}
              target={0.001}
            />
          </div>
          <p className="mt-3 text-muted text-sm">
            Where there were too few requests, the mean answer is that of the service’s own probes.
            {measured_since !== null && ` Measured since ${formatDay(measured_since)}.`}
          </p>
        </Section>
      )}
    </>
  );
}

function Budget({ budget }: { budget: SlaMonth["budget"] }) {
  const { minutes, spent_minutes, unknown_minutes, left } = budget;
  return (
    <Card>
      <p className="figures font-semibold text-2xl">
        {left === null
          ? "Not known"
          : left >= 0
            ? `${percentText(left, 0)} left`
            : `Overdrawn by ${percentText(-left, 0)}`}
      </p>
      <p className="mt-1 mb-3 text-muted text-sm">
        {formatCount(spent_minutes)} of {minutes} minutes are spent.
        {unknown_minutes > 0 &&
          ` ${plural(unknown_minutes, "minute")} not known: they may have been spent, too.`}
      </p>
      {left !== null && (
        <>
          <ShareBar share={1 - left} warnsFrom={0.75} />
          <p className="mt-1.5 text-muted text-xs">Spent</p>
        </>
      )}
    </Card>
  );
}

const CELL = "whitespace-nowrap px-2.5 first:pl-4 last:pr-4 py-2.5 text-right figures first:text-left";

interface TableProps {
  readonly label: string;
  readonly titles: readonly string[];
  readonly children: ReactNode;
}

function Table({ label, titles, children }: TableProps) {
  return (
    <TableFrame label={label} className="shadow-card">
      <table className="w-full text-sm">
        <thead className="text-muted text-xs">
          <tr>
            {titles.map((title) => (
              <th key={title} scope="col" className={`${CELL} font-medium`}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </TableFrame>
  );
}

function Uptime({ components }: Pick<SlaMonth, "components">) {
  return (
    <Table
      label="Uptime of each part"
      titles={["Part", "Uptime", "At least", "Down", "Degraded", "Maintenance", "Not known"]}
    >
      {components.map(({ component, name, minutes, availability, availability_at_least }) => (
        <tr key={component} className="border-line border-t">
          <th scope="row" className={`${CELL} font-medium`}>
            {name}
          </th>
          <td className={CELL}>{percentText(availability, 3)}</td>
          <td className={CELL}>{percentText(availability_at_least, 3)}</td>
          <td className={CELL}>{formatCount(minutes.down)}</td>
          <td className={CELL}>{formatCount(minutes.degraded)}</td>
          <td className={CELL}>{formatCount(minutes.maintenance)}</td>
          <td className={CELL}>{formatCount(minutes.unknown)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Figures({ figures }: { figures: readonly SlaFigure[] }) {
  return (
    <Table label="Figures and their targets" titles={["Figure", "Value", "Target", "Alarm", "State"]}>
      {figures.map(({ name, value, target, alert, state }) => (
        <tr key={name} className="border-line border-t">
          <th scope="row" className={`${CELL} font-medium`}>
            {FIGURE_NAMES[name]}
          </th>
          <td className={CELL}>{figureText(name, value)}</td>
          <td className={CELL}>{figureText(name, target)}</td>
          <td className={CELL}>{figureText(name, alert)}</td>
          <td className={CELL}>
            <StateBadge tone={FIGURE_STATES[state].tone}>{FIGURE_STATES[state].word}</StateBadge>
          </td>
        </tr>
      ))}
    </Table>
  );
}
