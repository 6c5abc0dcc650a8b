import type { UsageDay } from "@securewave/contracts";

export const MEBIBYTE = 2 ** 20;
/** In the units of the drawing, as are all lengths here. */
export const CHART_HEIGHT = 100;
export const BAR_GAP = 2;
const BAR_WIDTH = 10;
/** So few days do not become broad blocks. */
const BARS_MIN = 14;
/** What is not nothing is seen. */
const HEIGHT_MIN = 1;

export interface Bar {
  readonly day: string;
  readonly x: number;
  readonly width: number;
  readonly height: number;
}

/** One for each day, the oldest first; the greatest is as high as the drawing. */
export function barsOf(newestFirst: readonly UsageDay[]): Bar[] {
  const most = Math.max(1, ...newestFirst.map(({ mebibytes }) => mebibytes));
  return newestFirst.toReversed().map(({ day, mebibytes }, index) => ({
    day,
    x: index * BAR_WIDTH,
    width: BAR_WIDTH,
    height: mebibytes === 0 ? 0 : Math.max(HEIGHT_MIN, (CHART_HEIGHT * mebibytes) / most),
  }));
}

export function widthOf(bars: number): number {
  return Math.max(BARS_MIN, bars) * BAR_WIDTH;
}
