import type { Figures } from "./figures.ts";

/** What a node's line can have carried, and so what it can report. */
export interface Line {
  /** Bytes since the last report. What was not used of them is no credit for later. */
  roomOf(figures: Figures): number;
  /** Notes a report of so many bytes, for which there was so much room. */
  spend(figures: Figures, room: number, bytes: number): void;
}

const BYTES_PER_GBIT = 1e9 / 8;
/** Reports that waited in a queue arrive together. */
const LATE_MS = 30_000;

/** @param steadyMs milliseconds of a clock that is never set */
export function createLine(gbitPerSecond: number, steadyMs: () => number): Line {
  const bytesPerMs = (gbitPerSecond * BYTES_PER_GBIT) / 1000;
  return {
    roomOf({ steadyAtMs, spareBytes }) {
      if (steadyAtMs === undefined) return Number.POSITIVE_INFINITY;
      return bytesPerMs * Math.max(0, steadyMs() - steadyAtMs) + spareBytes;
    },
    spend(figures, room, bytes) {
      figures.steadyAtMs = steadyMs();
      figures.spareBytes = Math.min(bytesPerMs * LATE_MS, room - bytes);
    },
  };
}
