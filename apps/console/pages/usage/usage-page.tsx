import type { OwnPlan, Usage } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useId } from "react";
import { AccountTabs } from "../../components/account-tabs.tsx";
import { ErrorState, PageTitle, Section, SkeletonRows } from "../../components/page.tsx";
import { Notice } from "../../components/state.tsx";
import { Terms } from "../../components/terms.tsx";
import { formatDay } from "../../format.ts";
import { serversQuery } from "../../queries.ts";
import { ownPlanQuery, usageQuery } from "./queries.ts";
import { consequenceOf, noticeOf, planLines, serversText, usedText } from "./words.ts";

export function UsagePage() {
  const usage = useQuery(usageQuery);
  const plan = useQuery(ownPlanQuery);
  const failed = [usage, plan].find((query) => query.isError && !query.data);
  return (
    <>
      <PageTitle title="Usage" />
      <AccountTabs />
      {failed && <ErrorState error={failed.error} onRetry={failed.refetch} />}
      {!failed && !(usage.data && plan.data) && <SkeletonRows label="Loading your usage" count={2} />}
      {usage.data && plan.data && (
        <div>
          <MonthSection usage={usage.data} plan={plan.data} />
          <PlanSection plan={plan.data} />
        </div>
      )}
    </>
  );
}

function MonthSection({ usage, plan }: { usage: Usage; plan: OwnPlan }) {
  const notice = noticeOf(usage, plan);
  return (
    <Section
      title="This month"
      lead="Both directions of all your devices. What is kept of it is one sealed figure."
    >
      <div className="grid gap-4">
        {notice && (
          <div role="status">
            <Notice tone={notice.tone} title={notice.title}>
              {notice.text}
            </Notice>
          </div>
        )}
        <UsageBar usage={usage} />
        <p className="text-muted text-sm">
          Begins anew on <time dateTime={usage.resets_on}>{formatDay(usage.resets_on)}</time> (UTC).
          {usage.level === "below" && usage.quota_bytes !== null && ` At 100 % ${consequenceOf(plan)}.`}
        </p>
      </div>
    </Section>
  );
}

const BAR_TONES = {
  below: "[&::-moz-progress-bar]:bg-accent [&::-webkit-progress-value]:bg-accent",
  warned: "[&::-moz-progress-bar]:bg-warn [&::-webkit-progress-value]:bg-warn",
  reached: "[&::-moz-progress-bar]:bg-bad [&::-webkit-progress-value]:bg-bad",
} as const satisfies Record<Usage["level"], string>;

function UsageBar({ usage }: { usage: Usage }) {
  const id = useId();
  const { percent } = usage;
  return (
    <div className="grid gap-2">
      <p id={id} className="figures flex flex-wrap justify-between gap-x-6">
        <span className="font-semibold text-lg">{usedText(usage)}</span>
        {percent !== null && <span className="text-muted">{percent} %</span>}
      </p>
      {percent !== null && (
        <progress
          aria-labelledby={id}
          max={100}
          value={Math.min(percent, 100)}
          className={`h-2.5 w-full appearance-none overflow-hidden rounded-full border-none bg-line [&::-webkit-progress-bar]:bg-line ${BAR_TONES[usage.level]}`}
        />
      )}
    </div>
  );
}

function PlanSection({ plan }: { plan: OwnPlan }) {
  return (
    <Section title="Your plan" lead={plan.name}>
      <Terms lines={planLines(plan)}>
        <ServersOfPlan />
      </Terms>
    </Section>
  );
}

function ServersOfPlan() {
  const { data } = useQuery(serversQuery(undefined));
  if (!data || data.servers.length === 0) return null;
  return (
    <div className="contents">
      <dt className="text-muted">Servers</dt>
      <dd>
        <Link to="/servers" className="rounded-sm font-medium text-accent underline underline-offset-3">
          {serversText(data.servers)}
          <span className="sr-only">: see the servers</span>
        </Link>
      </dd>
    </div>
  );
}
