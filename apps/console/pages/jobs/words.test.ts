import { expect, test } from "vitest";
import { nextOf, sentenceOf, stateOf, tookOf, whenOf } from "./words.ts";

const NOW = Date.parse("2026-11-22T06:00:00Z");

test("a job that is overdue is that before anything else", () => {
  expect(stateOf({ state: "retrying", is_overdue: true }).word).toBe("Overdue");
  expect(stateOf({ state: "idle", is_overdue: false }).tone).toBe("good");
});

test("times are in words", () => {
  expect(whenOf({ kind: "clocked", schedule: "17 3 * * *" })).toBe("daily at 03:17 UTC");
  expect(whenOf({ kind: "queued", schedule: null })).toBe("when somebody's act asks for it");
  expect([tookOf(null), tookOf(1_240), tookOf(240_000)]).toEqual(["–", "1.2 s", "4 minutes"]);
  expect(nextOf("2026-11-22T06:05:00Z", NOW)).toBe("in 5 minutes");
  expect([nextOf("2026-11-22T05:00:00Z", NOW), nextOf(null, NOW)]).toEqual(["now", "–"]);
  expect(sentenceOf("signs the audit trail")).toBe("Signs the audit trail.");
});
