import type { JobRun } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { History } from "lucide-react";
import { EmptyState, ErrorState, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { StateBadge } from "../../components/state.tsx";
import { TableFrame } from "../../components/table-frame.tsx";
import { formatMoment } from "../../format.ts";
import { useNow } from "../../use-now.ts";
import { JobProgress } from "./progress-bar.tsx";
import { jobQuery } from "./queries.ts";
import { RunButton } from "./run-button.tsx";
import { nextOf, resultOf, sentenceOf, stateOf, tookOf, whenOf } from "./words.ts";

const NOW_EVERY_MS = 10_000;

/** A job with its last runs. */
export function JobPage() {
  const { name } = useParams({ from: "/account/staff/admins/admin/jobs/$name" });
  const query = useQuery(jobQuery(name));
  const nowMs = useNow(NOW_EVERY_MS);
  const job = query.data;
  return (
    <>
      <PageTitle
        title={name}
        up={{ label: "Jobs", link: { to: "/admin/jobs" } }}
        {...(job && {
          lead: `${sentenceOf(job.what)} It runs ${whenOf(job)}.`,
          actions: <RunButton job={job} />,
        })}
      />
      {query.isPending && <SkeletonRows label="Loading the job" />}
      {query.isError && !job && <ErrorState error={query.error} onRetry={query.refetch} />}
      {job && (
        <div className="mb-6 flex flex-wrap items-center gap-x-6 gap-y-2 text-sm">
          {job.state === "running" ? (
            <JobProgress job={job} />
          ) : (
            <StateBadge tone={stateOf(job).tone}>{stateOf(job).word}</StateBadge>
          )}
          {job.next_at !== null && (
            <span className="figures text-muted">
              Next run <time dateTime={job.next_at}>{nextOf(job.next_at, nowMs)}</time>
            </span>
          )}
        </div>
      )}
      {job?.runs.length === 0 && (
        <EmptyState icon={History} title="No runs yet">
          {job.kind === "queued"
            ? "When such a job ran is not kept: it would tell when somebody did something."
            : "Its runs appear here, the last fifty."}
        </EmptyState>
      )}
      {job && job.runs.length > 0 && <Runs runs={job.runs} />}
    </>
  );
}

function Runs({ runs }: { runs: readonly JobRun[] }) {
  return (
    <TableFrame label="Last runs" className="shadow-card">
      <table className="figures w-full whitespace-nowrap text-left text-sm">
        <thead>
          <tr className="text-muted text-xs *:px-4 *:py-2.5 *:font-medium">
            <th scope="col">Started</th>
            <th scope="col">By</th>
            <th scope="col">Attempt</th>
            <th scope="col">Result</th>
            <th scope="col">Took</th>
            <th scope="col">Code</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={`${run.started_at} ${run.attempt}`} className="border-line border-t *:px-4 *:py-2">
              <th scope="row" className="font-normal">
                <time dateTime={run.started_at}>{formatMoment(run.started_at)}</time>
              </th>
              <td>{run.cause === "clock" ? "The clock" : "Staff"}</td>
              <td>{run.attempt}</td>
              <td>
                <StateBadge tone={resultOf(run).tone}>{resultOf(run).word}</StateBadge>
              </td>
              <td>{tookOf(run.duration_ms)}</td>
              <td className="font-mono text-xs">{run.code ?? ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}
