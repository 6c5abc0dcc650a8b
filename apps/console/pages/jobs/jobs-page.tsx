import type { Job } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ListChecks } from "lucide-react";
import { EmptyState, ErrorState, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { Notice, StateBadge } from "../../components/state.tsx";
import { TableFrame } from "../../components/table-frame.tsx";
import { formatMoment, plural } from "../../format.ts";
import { useNow } from "../../use-now.ts";
import { DeadLetters } from "./dead-letters.tsx";
import { JobProgress } from "./progress-bar.tsx";
import { jobsQuery } from "./queries.ts";
import { RunButton } from "./run-button.tsx";
import { nextOf, resultOf, sentenceOf, stateOf, tookOf, whenOf } from "./words.ts";

const NOW_EVERY_MS = 10_000;

export function JobsPage() {
  const list = useQuery(jobsQuery);
  const jobs = list.data ?? [];
  const clocked = jobs.filter(({ kind }) => kind !== "queued");
  const queued = jobs.filter(({ kind }) => kind === "queued");
  const overdue = clocked.filter(({ is_overdue }) => is_overdue);
  return (
    <>
      <PageTitle
        title="Jobs"
        lead="What the service does by itself, and what it does later than it was asked. No two replicas run one job of the clock at the same time."
      />
      {list.isPending && <SkeletonRows label="Loading jobs" />}
      {list.isError && !list.data && <ErrorState error={list.error} onRetry={list.refetch} />}
      {list.isSuccess && jobs.length === 0 && (
        <EmptyState icon={ListChecks} title="There are no jobs">
          This process does not know any; look at another replica.
        </EmptyState>
      )}
      {overdue.length > 0 && (
        <div className="mb-7">
          <Notice tone="bad" title={`${plural(overdue.length, "job is", "jobs are")} overdue`}>
            {overdue.map(({ name }) => name).join(", ")}: what to do stands in docs/jobs.md.
          </Notice>
        </div>
      )}
      {clocked.length > 0 && <ClockedTable jobs={clocked} />}
      {queued.length > 0 && <QueuedTable jobs={queued} />}
      {list.isSuccess && <DeadLetters />}
    </>
  );
}

const HEAD = "text-muted text-xs *:px-4 *:py-2.5 *:font-medium";
const BODY_ROW = "border-line border-t align-top *:px-4 *:py-3";

function ClockedTable({ jobs }: { jobs: readonly Job[] }) {
  const nowMs = useNow(NOW_EVERY_MS);
  return (
    <TableFrame label="Jobs of the clock" className="mb-9 shadow-card">
      <table className="w-full text-left text-sm">
        <thead>
          <tr className={HEAD}>
            <th scope="col">Job</th>
            <th scope="col">State</th>
            <th scope="col">Last run</th>
            <th scope="col">Took</th>
            <th scope="col">Next run</th>
            <th scope="col">
              <span className="sr-only">Act</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <ClockedRow key={job.name} job={job} nowMs={nowMs} />
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

function ClockedRow({ job, nowMs }: { job: Job; nowMs: number }) {
  const { tone, word } = stateOf(job);
  const { last_run } = job;
  return (
    <tr className={BODY_ROW}>
      <th scope="row" className="min-w-52 font-normal">
        <JobLink name={job.name} />
        <p className="text-muted">{sentenceOf(job.what)}</p>
        <p className="text-muted text-xs">Runs {whenOf(job)}</p>
      </th>
      <td>
        {job.state === "running" ? <JobProgress job={job} /> : <StateBadge tone={tone}>{word}</StateBadge>}
      </td>
      <td className="figures whitespace-nowrap">
        {last_run === null ? (
          "Never"
        ) : (
          <>
            <time dateTime={last_run.started_at}>{formatMoment(last_run.started_at)}</time>
            <p className="text-muted text-xs">
              {resultOf(last_run).word}
              {last_run.code !== null && <span className="font-mono"> {last_run.code}</span>}
            </p>
          </>
        )}
      </td>
      <td className="figures whitespace-nowrap">{tookOf(last_run?.duration_ms ?? null)}</td>
      <td className="figures whitespace-nowrap">
        {job.next_at !== null && (
          <time dateTime={job.next_at} title={formatMoment(job.next_at)}>
            {nextOf(job.next_at, nowMs)}
          </time>
        )}
      </td>
      <td className="text-right">
        <RunButton job={job} />
      </td>
    </tr>
  );
}

function QueuedTable({ jobs }: { jobs: readonly Job[] }) {
  return (
    <>
      <h2 className="mb-1 font-semibold">Asked for</h2>
      <p className="mb-3 max-w-prose text-muted text-sm">
        Queued by what people do, with whom it is for. When that was is not kept.
      </p>
      <TableFrame label="Jobs that are asked for" className="mb-9 shadow-card">
        <table className="w-full text-left text-sm">
          <thead>
            <tr className={HEAD}>
              <th scope="col">Job</th>
              <th scope="col">Waiting</th>
              <th scope="col">Will try again</th>
              <th scope="col">Given up</th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <tr key={job.name} className={BODY_ROW}>
                <th scope="row" className="min-w-52 font-normal">
                  <span className="font-semibold">{job.name}</span>
                  <p className="text-muted">{sentenceOf(job.what)}</p>
                </th>
                <td className="figures">{job.waiting === 0 ? "–" : `${job.waiting} or more`}</td>
                <td className="figures">{job.retrying === 0 ? "–" : job.retrying}</td>
                <td className="figures">
                  {job.dead === 0 ? "–" : <StateBadge tone="bad">{plural(job.dead, "letter")}</StateBadge>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
    </>
  );
}

function JobLink({ name }: { name: string }) {
  return (
    <Link
      to="/admin/jobs/$name"
      params={{ name }}
      className="rounded-sm font-semibold underline-offset-4 hover:underline"
    >
      {name}
    </Link>
  );
}
