import type { NodeHealthSample } from "@securewave/contracts/nodes";
import { useQuery } from "@tanstack/react-query";
import { Activity } from "lucide-react";
import { EmptyState, ErrorState, SkeletonRows } from "../../components/page.tsx";
import { formatMilliseconds, formatShare } from "../../format.ts";
import { nodeHealthQuery } from "../../queries.ts";
import { Chart } from "./chart.tsx";
import { HealthTable } from "./health-table.tsx";
import { inTime, levelsOf, scaleTop } from "./series.ts";

/** How a node was in the last hour: of the machine and the way to it, with nobody in it. */
export function HealthSection({ nodeId }: { nodeId: string }) {
  const health = useQuery(nodeHealthQuery(nodeId));
  return (
    <section className="mt-9" aria-labelledby="last-hour">
      <div className="mb-4">
        <h2 id="last-hour" className="font-semibold">
          The last hour
        </h2>
        <p className="text-muted text-sm">
          A sample every 30 seconds, in memory only, with nobody in it: what many did together is shown in
          ranges.
        </p>
      </div>
      {health.isPending && <SkeletonRows label="Loading the last hour" count={2} />}
      {health.isError && !health.data && <ErrorState error={health.error} onRetry={health.refetch} />}
      {health.data?.length === 0 && (
        <EmptyState icon={Activity} title="Nothing heard yet">
          The graphs begin with the first sample of a node that is connected.
        </EmptyState>
      )}
      {health.data !== undefined && health.data.length > 0 && <Charts samples={inTime(health.data)} />}
    </section>
  );
}

const shareText = (share: number | null) => (share === null ? undefined : formatShare(share));

function Charts({ samples }: { samples: readonly NodeHealthSample[] }) {
  const waits = samples.flatMap(({ handshake_ms, echo_ms }) => [handshake_ms ?? 0, echo_ms ?? 0]);
  const waitTop = scaleTop(Math.max(...waits));
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
        <Chart
          title="Processor"
          samples={samples}
          lines={[{ label: "Processor", figureOf: ({ processor }) => processor }]}
          textOf={({ processor }) => shareText(processor)}
          top={1}
          topLabel="100 %"
          unknown="Its agent did not tell."
        />
        <Chart
          title="Memory"
          samples={samples}
          lines={[{ label: "Memory", figureOf: ({ memory }) => memory }]}
          textOf={({ memory }) => shareText(memory)}
          top={1}
          topLabel="100 %"
          unknown="Its agent did not tell."
        />
        <RangeChart
          title="Throughput"
          samples={samples}
          rangeOf={({ throughput }) => throughput}
          unknown="Not shown while fewer than ten devices are connected."
        />
        <RangeChart
          title="Connected"
          samples={samples}
          rangeOf={({ connected }) => connected}
          unknown="Not known."
        />
        <Chart
          title="Handshake and echo"
          samples={samples}
          lines={[
            { label: "Handshake", figureOf: ({ handshake_ms }) => handshake_ms },
            { label: "Echo", figureOf: ({ echo_ms }) => echo_ms, isDashed: true },
          ]}
          textOf={({ handshake_ms, echo_ms }) =>
            handshake_ms === null
              ? undefined
              : `${formatMilliseconds(handshake_ms)}, ${echo_ms === null ? "no echo" : formatMilliseconds(echo_ms)}`
          }
          top={waitTop}
          topLabel={`${waitTop} ms`}
          unknown="No probe was answered, or probing is off."
        />
        <Chart
          title="Probes lost"
          samples={samples}
          lines={[{ label: "Probes lost", figureOf: ({ probes_lost }) => probes_lost }]}
          textOf={({ probes_lost }) => shareText(probes_lost)}
          top={1}
          topLabel="100 %"
          isStepped
          unknown="No probe was made, or probing is off."
        />
      </div>
      <HealthTable samples={samples} />
    </>
  );
}

interface RangeChartProps {
  readonly title: string;
  readonly samples: readonly NodeHealthSample[];
  readonly rangeOf: (sample: NodeHealthSample) => string | null;
  readonly unknown: string;
}

/** What is told in ranges only: each range that occurred is a step. */
function RangeChart({ rangeOf, ...chart }: RangeChartProps) {
  const levels = levelsOf(chart.samples.map(rangeOf));
  return (
    <Chart
      {...chart}
      lines={[
        {
          label: chart.title,
          figureOf: (sample) => {
            const range = rangeOf(sample);
            return range === null ? null : levels.indexOf(range) + 0.5;
          },
        },
      ]}
      textOf={(sample) => rangeOf(sample) ?? undefined}
      top={Math.max(1, levels.length)}
      topLabel={levels.length > 1 ? (levels.at(-1) ?? "") : ""}
      bottomLabel={levels[0] ?? ""}
      isStepped
    />
  );
}
