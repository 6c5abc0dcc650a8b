import { expect, test } from "vitest";
import { isLate } from "./late.ts";

const NOON = Date.parse("2026-11-21T12:00:00Z");

test("an open request is late from the day after it was due, and a closed one never", () => {
  expect(isLate({ state: "open", due_on: "2026-11-21" }, NOON)).toBe(false);
  expect(isLate({ state: "open", due_on: "2026-11-20" }, NOON)).toBe(true);
  expect(isLate({ state: "done", due_on: "2026-11-20" }, NOON)).toBe(false);
});
