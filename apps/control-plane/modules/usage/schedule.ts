import { DAY_MS, dayOf, MINUTE_MS } from "@securewave/foundation";

/** Minute of the day in UTC. */
export type MinuteOfDay = number;

/**
 * Whether the ledger is due: once a day from a minute of the day on, and after days without the service as
 * soon as it is back.
 *
 * @param flushedOn the day of the last time; null when there was none
 */
export function isDue(nowMs: number, flushAt: MinuteOfDay, flushedOn: string | null): boolean {
  if (flushedOn === null) return true;
  const day = dayOf(nowMs - flushAt * MINUTE_MS);
  if (day > flushedOn) return true;
  // A clock that was set back by a little waits until the day after. One that was wrong by more than a day
  // would keep the ledger waiting for as long as it was wrong.
  return Date.parse(flushedOn) - Date.parse(day) > DAY_MS;
}

/** The day that a flush at this moment counts for. */
export function flushDay(nowMs: number, flushAt: MinuteOfDay): string {
  return dayOf(nowMs - flushAt * MINUTE_MS);
}

/** How many times the ledger has become due since the day of a flush. */
export function daysSince(flushedOn: string, nowMs: number, flushAt: MinuteOfDay): number {
  return (Date.parse(flushDay(nowMs, flushAt)) - Date.parse(flushedOn)) / DAY_MS;
}
