import type { ServiceMinutes } from "@securewave/contracts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "@securewave/foundation";

export const QUARTER_MS = 15 * MINUTE_MS;
export const SPAN_MS = { quarter: QUARTER_MS, hour: HOUR_MS, day: DAY_MS } as const;
export type Span = keyof typeof SPAN_MS;

/** How a part of the service was found in a minute. */
export type Found = "up" | "degraded" | "down";

/** The fifteen minutes of a quarter as sets, minute 0 in the lowest bit. */
export interface MinuteSets {
  readonly up: number;
  readonly degraded: number;
  readonly down: number;
  readonly maintenance: number;
}

export const NO_MINUTES: ServiceMinutes = { up: 0, degraded: 0, down: 0, maintenance: 0, unknown: 0 };
const ALL = 2 ** 15 - 1;

export function startOf(atMs: number, span: Span): number {
  return Math.floor(atMs / SPAN_MS[span]) * SPAN_MS[span];
}

/** The bit of a minute in its quarter. */
export function bitOf(atMs: number): number {
  return 1 << Math.floor((atMs % QUARTER_MS) / MINUTE_MS);
}

/** Counts what was measured. What some replicas found down and others did not, worked badly. */
export function countMinutes({ up, degraded, down, maintenance }: MinuteSets): ServiceMinutes {
  const counted = ALL & ~maintenance;
  const isDown = down & ~(up | degraded) & counted;
  const isUp = up & ~(degraded | down) & counted;
  const isDegraded = (up | degraded | down) & ~isDown & ~isUp & counted;
  return {
    up: sizeOf(isUp),
    degraded: sizeOf(isDegraded),
    down: sizeOf(isDown),
    maintenance: sizeOf(maintenance),
    unknown: 0,
  };
}

/** The last minute that was measured; undefined where none was. */
export function lastFound({ up, degraded, down }: MinuteSets): { minute: number; found: Found } | undefined {
  const measured = up | degraded | down;
  if (measured === 0) return undefined;
  const minute = 31 - Math.clz32(measured);
  const isIn = (set: number) => (set & (1 << minute)) !== 0;
  if (isIn(down) && !isIn(up) && !isIn(degraded)) return { minute, found: "down" };
  return { minute, found: isIn(degraded) || isIn(down) ? "degraded" : "up" };
}

export function addMinutes(all: readonly ServiceMinutes[]): ServiceMinutes {
  const sum = { ...NO_MINUTES };
  for (const each of all)
    for (const kind of ["up", "degraded", "down", "maintenance", "unknown"] as const) sum[kind] += each[kind];
  return sum;
}

/** Fills up with unknown minutes to those that were over. */
export function withUnknown(minutes: ServiceMinutes, elapsed: number): ServiceMinutes {
  const { up, degraded, down, maintenance } = minutes;
  return { ...minutes, unknown: Math.max(0, Math.floor(elapsed) - up - degraded - down - maintenance) };
}

/** Of the minutes that were measured and were no maintenance; null where there are none. */
export function availabilityOf({ up, degraded, down }: ServiceMinutes): number | null {
  const measured = up + degraded + down;
  return measured === 0 ? null : (up + degraded) / measured;
}

/** As if nothing had worked while nobody measured. */
export function availabilityAtLeast(minutes: ServiceMinutes): number | null {
  return availabilityOf({ ...minutes, down: minutes.down + minutes.unknown });
}

function sizeOf(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}
