import { DAY_MS, HOUR_MS, MINUTE_MS } from "@securewave/foundation";
import { expect, test } from "vitest";
import { agreedTime, isOverdue, judge, mayRetry, nextAfter } from "./schedule.ts";

const NOON = Date.UTC(2026, 10, 22, 12, 0, 0);
const DAILY = "17 3 * * *";

test("a cron expression is read in UTC, and names a time after the one that is given", () => {
  expect(new Date(nextAfter(DAILY, NOON)).toISOString()).toBe("2026-11-23T03:17:00.000Z");
  const tick = nextAfter(DAILY, NOON);
  expect(nextAfter(DAILY, tick)).toBe(tick + DAY_MS);
  expect(nextAfter(DAILY, tick - 1)).toBe(tick);
});

test("what came due while nobody was there runs once, however long that was", () => {
  expect(judge(DAILY, NOON, NOON + 5 * DAY_MS)).toBe("run");
  expect(judge(DAILY, NOON + 5 * DAY_MS, NOON + 5 * DAY_MS)).toBe("wait");
});

test("a clock that was set back by days has the next time reckoned anew, and nothing runs for it", () => {
  expect(judge("* * * * *", NOON, NOON - 5 * DAY_MS)).toBe("reckon");
  expect(judge("* * * * *", NOON, NOON - 5 * MINUTE_MS)).toBe("wait"); // replicas' clocks differ so much
});

test("a machine whose clock is wrong goes by the database's, so that no two take turns for ever", () => {
  expect(agreedTime(NOON, NOON, NOON + MINUTE_MS)).toBe(NOON);
  const wrong = NOON + 5 * DAY_MS;
  expect(agreedTime(wrong, wrong, NOON)).toBe(NOON);
  expect(judge("* * * * *", NOON, agreedTime(wrong, wrong, NOON))).toBe("wait");
});

test("a retry whose time was written before the clock was set back is due", () => {
  expect(mayRetry(undefined, NOON, HOUR_MS)).toBe(true);
  expect(mayRetry(NOON + 5_000, NOON, HOUR_MS)).toBe(false);
  expect(mayRetry(NOON + 5 * DAY_MS, NOON, HOUR_MS)).toBe(true);
});

test("what should have succeeded again, and has not, is overdue", () => {
  expect(isOverdue(DAILY, NOON, NOON + DAY_MS - 9 * HOUR_MS)).toBe(false);
  expect(isOverdue(DAILY, NOON, NOON + DAY_MS)).toBe(true);
});
