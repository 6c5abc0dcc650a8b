import type { SlaMonth } from "@securewave/contracts";
import { useId } from "react";
import { Card } from "../../components/page.tsx";
import { formatDay } from "../../format.ts";

type Day = SlaMonth["days"][number];

interface DayChartProps {
  readonly title: string;
  readonly days: readonly Day[];
  readonly figureOf: (day: Day) => number | null;
  readonly textOf: (value: number) => string;
  /** What is to be kept. */
  readonly target?: number;
}

const [BAR, GAP, HEIGHT] = [8, 3, 60];

/** One bar a day, a gap where nothing is known; the same figures stand in a table for screen readers. */
export function DayChart({ title, days, figureOf, textOf, target }: DayChartProps) {
  const titleId = useId();
  const values = days.map(figureOf);
  const known = values.filter((value) => value !== null);
  const top = Math.max(...known, target ?? 0);
  const width = Math.max(1, days.length * (BAR + GAP) - GAP);
  const heightOf = (value: number) => (top > 0 ? Math.max(1, (value / top) * HEIGHT) : 1);
  return (
    <Card className="p-4">
      <figure aria-labelledby={titleId} className="relative text-muted text-xs">
        <figcaption id={titleId} className="mb-3 flex justify-between font-medium text-ink text-sm">
          {title}
          <span className="figures font-normal text-muted">
            {known.length === 0 ? "Not known" : `at most ${textOf(Math.max(...known))}`}
          </span>
        </figcaption>
        <svg
          viewBox={`0 0 ${width} ${HEIGHT}`}
          preserveAspectRatio="none"
          className="h-16 w-full"
          aria-hidden="true"
        >
          {days.map(({ day }, at) => {
            const value = values[at] ?? null;
            if (value === null) return null;
            const isBeyond = target !== undefined && value >= target;
            const height = heightOf(value);
            return (
              <rect
                key={day}
                x={at * (BAR + GAP)}
                y={HEIGHT - height}
                width={BAR}
                height={height}
                className={isBeyond ? "fill-warn" : "fill-accent"}
              />
            );
          })}
        </svg>
        {/* A table itself is never smaller than its rows, and would make the page longer. */}
        <div className="sr-only">
          <table>
            <caption>{title}</caption>
            <thead>
              <tr>
                <th scope="col">Day</th>
                <th scope="col">Value</th>
              </tr>
            </thead>
            <tbody>
              {days.map(({ day }, at) => (
                <tr key={day}>
                  <th scope="row">{formatDay(day)}</th>
                  <td>
                    {values[at] === null || values[at] === undefined ? "Not known" : textOf(values[at])}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </figure>
    </Card>
  );
}
