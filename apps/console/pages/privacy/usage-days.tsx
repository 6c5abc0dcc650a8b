import type { UsageDay } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { ErrorState } from "../../components/page.tsx";
import { formatBytes, formatDay } from "../../format.ts";
import { BAR_GAP, barsOf, CHART_HEIGHT, MEBIBYTE, widthOf } from "./bars.ts";
import { historyQuery } from "./queries.ts";

/** What was used on each of the last days: drawn, and as figures. */
export function UsageDays() {
  const days = useQuery(historyQuery);
  if (days.isError && !days.data) return <ErrorState error={days.error} onRetry={days.refetch} />;
  if (!days.data) return null;
  if (days.data.length === 0)
    return <p className="text-muted text-sm">The first day is written when it is over.</p>;
  return (
    <div className="grid w-full max-w-xl gap-4">
      <Chart days={days.data} />
      <details>
        <summary className="cursor-pointer rounded-sm font-medium text-sm">As figures</summary>
        <table className="figures mt-3 w-full text-sm">
          <thead className="text-left text-muted">
            <tr>
              <th className="py-1.5 font-medium">Day (UTC)</th>
              <th className="py-1.5 text-right font-medium">Used</th>
            </tr>
          </thead>
          <tbody>
            {days.data.map(({ day, mebibytes }) => (
              <tr key={day} className="border-line border-t">
                <td className="py-1.5">
                  <time dateTime={day}>{formatDay(day)}</time>
                </td>
                <td className="py-1.5 text-right">{formatBytes(mebibytes * MEBIBYTE)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </div>
  );
}

function Chart({ days }: { readonly days: readonly UsageDay[] }) {
  const bars = barsOf(days);
  const most = Math.max(...days.map(({ mebibytes }) => mebibytes));
  const [first, last] = [bars.at(0)?.day ?? "", bars.at(-1)?.day ?? ""];
  return (
    <figure className="grid gap-1.5">
      <svg
        role="img"
        aria-label={`Used each day, at most ${formatBytes(most * MEBIBYTE)}`}
        viewBox={`0 0 ${widthOf(bars.length)} ${CHART_HEIGHT}`}
        preserveAspectRatio="none"
        className="h-28 w-full border-line border-b"
      >
        {bars.map(({ day, height, x, width }) => (
          <rect
            key={day}
            x={x}
            y={CHART_HEIGHT - height}
            width={width - BAR_GAP}
            height={height}
            className="fill-accent"
          />
        ))}
      </svg>
      <figcaption className="figures flex justify-between gap-4 text-muted text-xs">
        <span>{formatDay(first)}</span>
        <span>at most {formatBytes(most * MEBIBYTE)}</span>
        {last !== first && <span>{formatDay(last)}</span>}
      </figcaption>
    </figure>
  );
}
