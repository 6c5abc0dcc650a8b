import type { NodeHealthSample } from "@securewave/contracts/nodes";
import { lowerEnd } from "../../ranges.ts";

export const HOUR_SECONDS = 3600;
/** Samples come every 30 seconds; where two in a row are missing, a line is broken. */
const GAP_SECONDS = 80;

export interface Point {
  readonly ageSeconds: number;
  readonly value: number;
}

export type FigureOf = (sample: NodeHealthSample) => number | null;

/** The runs of what is known, the oldest first, each in order of time. */
export function linesOf(samples: readonly NodeHealthSample[], figureOf: FigureOf): Point[][] {
  const lines: Point[][] = [];
  let before: Point | undefined;
  for (const sample of inTime(samples)) {
    const value = figureOf(sample);
    if (value === null) {
      before = undefined;
      continue;
    }
    const point = { ageSeconds: sample.age_seconds, value };
    if (before === undefined || before.ageSeconds - point.ageSeconds > GAP_SECONDS) lines.push([]);
    lines.at(-1)?.push(point);
    before = point;
  }
  return lines;
}

/** The oldest first. */
export function inTime(samples: readonly NodeHealthSample[]): NodeHealthSample[] {
  return samples.toSorted((one, other) => other.age_seconds - one.age_seconds);
}

/** The ranges that occur, the lowest first: what lies between them is left out, so that each is a step of a chart. */
export function levelsOf(ranges: readonly (string | null)[]): string[] {
  const known = new Set(ranges.filter((range) => range !== null));
  return [...known].sort((one, other) => (lowerEnd(one) ?? 0) - (lowerEnd(other) ?? 0));
}

/** The end of a scale for values up to this one: the next of 1, 2, 5, 10, 20, 50, … */
export function scaleTop(max: number): number {
  if (max <= 1) return 1;
  const decade = 10 ** Math.floor(Math.log10(max));
  return ([1, 2, 5].find((step) => step * decade >= max) ?? 10) * decade;
}

/** The `d` of an SVG path through a box, from an hour ago on the left to this moment on the right. */
export function pathOf(line: readonly Point[], box: Box, top: number, isStepped: boolean): string {
  const at = ({ ageSeconds, value }: Point) => [xOf(ageSeconds, box), yOf(value, box, top)] as const;
  const [first, ...rest] = line.map(at);
  if (first === undefined) return "";
  // What is alone between two gaps is a dot: a line to itself, with round ends.
  if (rest.length === 0) return `M${first.map(short).join(" ")}h0`;
  const steps = rest.map(([x, y]) => (isStepped ? `H${short(x)}V${short(y)}` : `L${short(x)} ${short(y)}`));
  return `M${first.map(short).join(" ")}${steps.join("")}`;
}

export interface Box {
  readonly width: number;
  readonly height: number;
}

export function xOf(ageSeconds: number, { width }: Box): number {
  return width * (1 - Math.min(1, ageSeconds / HOUR_SECONDS));
}

function yOf(value: number, { height }: Box, top: number): number {
  return height * (1 - Math.min(1, value / top));
}

function short(length: number): string {
  return String(Math.round(length * 100) / 100);
}

/** The sample nearest to a moment; undefined when there is none within a minute. */
export function sampleAt(
  samples: readonly NodeHealthSample[],
  ageSeconds: number,
): NodeHealthSample | undefined {
  let nearest: NodeHealthSample | undefined;
  let least = 60;
  for (const sample of samples) {
    const distance = Math.abs(sample.age_seconds - ageSeconds);
    if (distance >= least) continue;
    least = distance;
    nearest = sample;
  }
  return nearest;
}
