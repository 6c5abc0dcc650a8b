import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { BellRing, CircleCheck } from "lucide-react";
import { EmptyState, ErrorState, MoreButton, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { Rows } from "../../components/rows.tsx";
import { Notice } from "../../components/state.tsx";
import { formatAge } from "../../format.ts";
import { useNow } from "../../use-now.ts";
import { AlertRow } from "./alert-row.tsx";
import { EpisodeTable } from "./episode-table.tsx";
import { alertsQuery, episodesQuery } from "./queries.ts";

const HEADING = "mt-9 mb-3 font-semibold text-lg";
/** Judged every minute: longer than this ago, something is wrong with the watch itself. */
const LATE_SECONDS = 180;

export function AlertsPage() {
  const list = useQuery(alertsQuery);
  const nowMs = useNow(1000);
  const alerts = list.data?.items ?? [];
  const firing = alerts.filter(({ state }) => state === "firing");
  const quiet = alerts.filter(({ state }) => state === "quiet");
  const silenced = quiet.filter(({ silence }) => silence !== null).length;

  return (
    <>
      <PageTitle
        title="Alerts"
        lead="What the service watches by itself, once a minute. When an alert fires, admins get a letter."
      />
      {list.isPending && <SkeletonRows label="Loading alerts" />}
      {list.isError && !list.data && <ErrorState error={list.error} onRetry={list.refetch} />}
      {list.data && (
        <>
          <Judged judgedAt={list.data.judged_at} nowMs={nowMs} />
          <h2 className={HEADING}>Firing</h2>
          {firing.length === 0 ? (
            <EmptyState icon={CircleCheck} title="Nothing fires">
              An alert that fires appears here, with what to do.
            </EmptyState>
          ) : (
            <Rows label="Firing alerts">
              {firing.map((alert) => (
                <AlertRow key={alert.name} alert={alert} nowMs={nowMs} />
              ))}
            </Rows>
          )}
          <History />
          <details className="mt-9">
            <summary className="cursor-pointer rounded-md font-semibold text-lg">
              All that is watched and quiet ({quiet.length}
              {silenced > 0 && `, ${silenced} silenced`})
            </summary>
            <div className="mt-3">
              <Rows label="Quiet alerts">
                {quiet.map((alert) => (
                  <AlertRow key={alert.name} alert={alert} nowMs={nowMs} />
                ))}
              </Rows>
            </div>
          </details>
        </>
      )}
    </>
  );
}

function Judged({ judgedAt, nowMs }: { readonly judgedAt: string | null; readonly nowMs: number }) {
  if (judgedAt === null)
    return (
      <Notice tone="warn" title="Nothing was judged yet">
        The watch begins with the service, unless ALERT_WATCH is off.
      </Notice>
    );
  const ageSeconds = Math.max(0, (nowMs - Date.parse(judgedAt)) / 1000);
  if (ageSeconds > LATE_SECONDS)
    return (
      <Notice tone="bad" title="The watch has stopped">
        It judged <time dateTime={judgedAt}>{formatAge(ageSeconds)}</time> for the last time. Look in the log
        for alerts_not_judged.
      </Notice>
    );
  return null;
}

function History() {
  const list = useInfiniteQuery(episodesQuery);
  const episodes = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <h2 className={HEADING}>The last 90 days</h2>
      {list.isPending && <SkeletonRows label="Loading what fired" />}
      {list.isError && !list.data && <ErrorState error={list.error} onRetry={list.refetch} />}
      {list.isSuccess && episodes.length === 0 && (
        <EmptyState icon={BellRing} title="No alert fired">
          Alerts that fired are listed here for 90 days.
        </EmptyState>
      )}
      {episodes.length > 0 && <EpisodeTable episodes={episodes} />}
      <MoreButton list={list} />
    </>
  );
}
