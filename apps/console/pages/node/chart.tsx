import type { NodeHealthSample } from "@securewave/contracts/nodes";
import { type PointerEvent, useState } from "react";
import { Card } from "../../components/page.tsx";
import { formatAge } from "../../format.ts";
import { type FigureOf, HOUR_SECONDS, linesOf, pathOf, sampleAt, xOf } from "./series.ts";

const BOX = { width: 300, height: 80 };

export interface ChartLine {
  readonly label: string;
  readonly figureOf: FigureOf;
  readonly isDashed?: boolean;
}

export interface ChartProps {
  readonly title: string;
  readonly samples: readonly NodeHealthSample[];
  readonly lines: readonly [ChartLine, ...ChartLine[]];
  /** What a sample has to say here; undefined where nothing is known. */
  readonly textOf: (sample: NodeHealthSample) => string | undefined;
  /** The value at the top of the chart; 0 is at the bottom. */
  readonly top: number;
  readonly topLabel: string;
  readonly bottomLabel?: string;
  readonly isStepped?: boolean;
  /** What is said in place of a chart when nothing is known. */
  readonly unknown: string;
}

/** One figure over the last hour. The table below the charts says the same in words. */
export function Chart(props: ChartProps) {
  const { title, samples, lines, textOf, top, topLabel, bottomLabel = "0", isStepped = false } = props;
  const [pointedSeconds, setPointedSeconds] = useState<number>();
  const drawn = lines.map((line) => ({ line, runs: linesOf(samples, line.figureOf) }));
  const isKnown = drawn.some(({ runs }) => runs.length > 0);
  const pointed = pointedSeconds === undefined ? undefined : sampleAt(samples, pointedSeconds);
  const newest = sampleAt(samples, 0);
  const said = pointed ?? newest;
  const text = (said && textOf(said)) ?? "not known";

  function onPointer(event: PointerEvent<SVGSVGElement>): void {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setPointedSeconds((1 - (event.clientX - left) / width) * HOUR_SECONDS);
  }

  return (
    <Card className="p-4">
      <figure>
        <figcaption className="mb-3 flex items-baseline justify-between gap-3">
          <span className="text-muted text-sm">{title}</span>
          <span className="figures text-right">
            <span className="font-semibold">{text}</span>
            {pointed && pointed !== newest && (
              <span className="text-muted text-xs"> {formatAge(pointed.age_seconds)}</span>
            )}
          </span>
        </figcaption>
        {isKnown ? (
          <div className="figures relative text-muted text-xs">
            <span aria-hidden="true" className="absolute -top-1 left-0 bg-surface/80 pr-1">
              {topLabel}
            </span>
            <svg
              viewBox={`0 0 ${BOX.width} ${BOX.height}`}
              preserveAspectRatio="none"
              className="block h-20 w-full overflow-visible border-line border-y"
              role="img"
              aria-label={`${title} in the last hour, at this moment ${(newest && textOf(newest)) ?? "not known"}`}
              onPointerMove={onPointer}
              onPointerLeave={() => setPointedSeconds(undefined)}
            >
              {drawn.map(({ line, runs }) =>
                runs.map((run) => (
                  <path
                    key={`${line.label} ${run[0]?.ageSeconds}`}
                    d={pathOf(run, BOX, top, isStepped)}
                    fill="none"
                    className={line.isDashed ? "stroke-muted" : "stroke-accent"}
                    strokeWidth="1.75"
                    strokeLinecap="round"
                    strokeLinejoin="round"
                    strokeDasharray={line.isDashed ? "3 4" : undefined}
                    vectorEffect="non-scaling-stroke"
                  />
                )),
              )}
              {pointed && (
                <path
                  d={`M${xOf(pointed.age_seconds, BOX)} 0V${BOX.height}`}
                  className="stroke-outline"
                  vectorEffect="non-scaling-stroke"
                />
              )}
            </svg>
            <div aria-hidden="true" className="mt-1 flex justify-between">
              <span>{bottomLabel}</span>
              <span>
                {lines.length > 1 &&
                  lines.map((line) => (
                    <span key={line.label} className="ml-2.5">
                      <span className={line.isDashed ? "text-muted" : "text-accent"}>
                        {line.isDashed ? "┄" : "─"}
                      </span>{" "}
                      {line.label}
                    </span>
                  ))}
              </span>
            </div>
          </div>
        ) : (
          <p className="grid min-h-20 place-items-center px-2 text-center text-muted text-sm">
            {props.unknown}
          </p>
        )}
      </figure>
    </Card>
  );
}
