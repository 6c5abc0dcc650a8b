import { DAY_MS, HOUR_MS, MINUTE_MS } from "@securewave/foundation";
import fc from "fast-check";
import { expect, test } from "vitest";
import { flushDay, isDue } from "./schedule.ts";

const START = Date.UTC(2026, 0, 1);
const minute = fc.nat({ max: 24 * 60 - 1 });

test("whenever it is asked, the ledger is due once for each day's minute that has passed", () => {
  const steps = fc.array(fc.nat({ max: 3 * DAY_MS }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(minute, steps, (flushAt, gaps) => {
      let nowMs = START;
      let flushedOn: string = flushDay(nowMs, flushAt);
      for (const gap of gaps) {
        const before = nowMs;
        nowMs += gap;
        const passed = countPassed(before, nowMs, flushAt);
        expect(isDue(nowMs, flushAt, flushedOn)).toBe(passed > 0);
        if (passed > 0) flushedOn = flushDay(nowMs, flushAt);
        expect(isDue(nowMs, flushAt, flushedOn)).toBe(false);
      }
    }),
  );
});

test("a clock set back by up to a day brings no second time, and one set back by more does not stop it", () => {
  const [noon, flushAt] = [START + 12 * HOUR_MS, 197];
  const flushedOn = flushDay(noon, flushAt);
  for (const back of [MINUTE_MS, HOUR_MS, DAY_MS]) expect(isDue(noon - back, flushAt, flushedOn)).toBe(false);
  expect(isDue(noon - 3 * DAY_MS, flushAt, flushedOn)).toBe(true);
});

/** How often a minute of the day comes after one instant and up to another. */
function countPassed(fromMs: number, toMs: number, flushAt: number): number {
  const dayOf = (instantMs: number) => Math.floor((instantMs - flushAt * MINUTE_MS) / DAY_MS);
  return dayOf(toMs) - dayOf(fromMs);
}
