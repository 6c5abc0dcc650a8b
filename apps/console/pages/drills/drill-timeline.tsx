import type { DrillReport } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleX } from "lucide-react";
import { Card, ErrorState, SkeletonRows } from "../../components/page.tsx";
import { drillQuery } from "./queries.ts";
import { secondsText } from "./words.ts";

const WIDTH = 1000;
const HEIGHT = 44;
const MIDDLE = 22;

/** One drill: when what happened, as a picture and in words, and what was measured beside its target. */
export function DrillTimeline({ id }: { readonly id: string }) {
  const drill = useQuery(drillQuery(id));
  if (drill.isPending) return <SkeletonRows label="Loading the drill" />;
  if (drill.isError) return <ErrorState error={drill.error} onRetry={drill.refetch} />;
  const { report, number } = drill.data;
  const { target, rto_seconds, rpo_seconds, writes, checks, timeline } = report;
  return (
    <Card>
      <h2 className="font-semibold text-lg">
        Drill {number}: {report.scenario}
      </h2>
      <dl className="mt-3 grid gap-x-8 gap-y-2 text-sm sm:grid-cols-3">
        <Fact term="Back after (RTO)" text={beside(rto_seconds, target.rto_seconds)} />
        <Fact term="Lost (RPO)" text={beside(rpo_seconds, target.rpo_seconds)} />
        <Fact term="Acknowledged writes" text={`${writes.acknowledged}, of which ${writes.lost} are lost`} />
      </dl>
      <Picture timeline={timeline} />
      <ol className="mt-4 space-y-1 text-sm">
        {timeline.map(({ at_seconds, what }) => (
          <li key={`${at_seconds} ${what}`} className="flex gap-3">
            <span className="figures w-12 shrink-0 text-muted">{secondsText(at_seconds)}</span>
            <span className="min-w-0 break-words">{what}</span>
          </li>
        ))}
      </ol>
      {checks.length > 0 && (
        <ul aria-label="What was looked at" className="mt-5 space-y-1.5 text-sm">
          {checks.map(({ what, is_met }) => (
            <li key={what} className="flex items-start gap-2">
              {is_met ? (
                <CircleCheck aria-label="As it should be:" className="mt-0.5 size-4 shrink-0 text-good" />
              ) : (
                <CircleX aria-label="Not as it should be:" className="mt-0.5 size-4 shrink-0 text-bad" />
              )}
              <span className="min-w-0 break-words">{what}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function beside(measured: number, target: number | null): string {
  return target === null
    ? secondsText(measured)
    : `${secondsText(measured)}, at most ${secondsText(target)} allowed`;
}

function Fact({ term, text }: { readonly term: string; readonly text: string }) {
  return (
    <div>
      <dt className="text-muted">{term}</dt>
      <dd className="figures font-medium">{text}</dd>
    </div>
  );
}

/** A line from the beginning to the end, with a mark for each step; the list below says the same in words. */
function Picture({ timeline }: Pick<DrillReport, "timeline">) {
  const end = Math.max(1, ...timeline.map(({ at_seconds }) => at_seconds));
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      aria-hidden="true"
      preserveAspectRatio="none"
      className="mt-4 h-11 w-full text-accent"
    >
      <line x1="0" x2={WIDTH} y1={MIDDLE} y2={MIDDLE} stroke="currentColor" strokeWidth="2" opacity="0.35" />
      {timeline.map(({ at_seconds, what }) => (
        <rect
          key={`${at_seconds} ${what}`}
          x={Math.min(WIDTH - 4, (at_seconds / end) * WIDTH)}
          y={MIDDLE - 12}
          width="4"
          height="24"
          rx="2"
          fill="currentColor"
        />
      ))}
    </svg>
  );
}
