import type { HealthDetails } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Advice } from "../../components/advice.tsx";
import { ErrorState, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { Notice, StateBadge, type Tone } from "../../components/state.tsx";
import { formatMoment } from "../../format.ts";
import { healthDetailsQuery } from "./queries.ts";

type Check = HealthDetails["checks"][number];

const STATES = {
  well: { tone: "good", word: "Well" },
  warning: { tone: "warn", word: "Warning" },
  failing: { tone: "bad", word: "Failing" },
  unknown: { tone: "still", word: "Not known" },
} as const satisfies Record<Check["state"], { tone: Tone; word: string }>;

const STATUS = {
  healthy: { tone: "good", title: "All is well" },
  degraded: { tone: "warn", title: "The service works, and something is wrong" },
  unhealthy: { tone: "bad", title: "The service does not work" },
} as const satisfies Record<HealthDetails["status"], { tone: Tone; title: string }>;

export function HealthPage() {
  const health = useQuery(healthDetailsQuery);
  return (
    <>
      <PageTitle title="Health" lead="Each part of the service as it is at the moment, and what to do." />
      {health.isPending && <SkeletonRows label="Loading health" />}
      {health.isError && !health.data && <ErrorState error={health.error} onRetry={health.refetch} />}
      {health.data && (
        <div className="grid gap-5">
          <Notice {...STATUS[health.data.status]}>
            Looked at <time dateTime={health.data.timestamp}>{formatMoment(health.data.timestamp)}</time>.
          </Notice>
          <Rows label="Parts of the service">
            {health.data.checks.map((check) => (
              <CheckRow key={check.id} check={check} />
            ))}
          </Rows>
        </div>
      )}
    </>
  );
}

function CheckRow({ check }: { readonly check: Check }) {
  const { title, state, says, advice, alerts } = check;
  const { tone, word } = STATES[state];
  return (
    <Row
      title={title}
      detail={
        <>
          <p>{says}</p>
          {advice !== null && (
            <p className="text-ink">
              <Advice text={advice} />
            </p>
          )}
          {alerts.length > 0 && (
            <p>
              Alerts:{" "}
              <Link to="/admin/alerts" className="text-accent underline underline-offset-3">
                {alerts.join(", ")}
              </Link>
            </p>
          )}
        </>
      }
      actions={<StateBadge tone={tone}>{word}</StateBadge>}
    />
  );
}
