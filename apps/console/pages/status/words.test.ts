import { afterEach, expect, test, vi } from "vitest";
import { instantOf, localOf } from "./words.ts";

afterEach(() => vi.unstubAllEnvs());

test("times are shown and taken in the reader's own zone, also where its clocks change", () => {
  for (const [zone, local] of [
    ["America/New_York", "2026-10-31T22:00"],
    ["America/New_York", "2026-11-01T21:00"],
    ["Asia/Kathmandu", "2026-11-24T02:15"],
    ["UTC", "2026-11-24T02:00"],
  ] as const) {
    vi.stubEnv("TZ", zone);
    expect([zone, localOf(instantOf(local) ?? "")]).toEqual([zone, local]);
  }
  vi.stubEnv("TZ", "Asia/Kathmandu");
  expect(localOf("2026-11-24T02:00:30.000Z")).toBe("2026-11-24T07:45");
  expect(instantOf("2026-11-24T07:45")).toBe("2026-11-24T02:00:00.000Z");
});

test("what is no time is none", () => {
  expect(instantOf("")).toBeUndefined();
  expect(instantOf("tomorrow")).toBeUndefined();
});
