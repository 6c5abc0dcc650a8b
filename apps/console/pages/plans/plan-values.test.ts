import { expect, test } from "vitest";
import { gigabytesOf, megabitsOf, planOf } from "./plan-values.ts";

const valuesOf = (fields: Record<string, string>) => ({ text: (name: string) => fields[name] ?? "" });

test("an empty field is no limit, and units are those that people write", () => {
  const typed = { name: "Basic", quota_bytes: "0.5", on_quota: "block", throttle_kbit_per_second: "1.5" };
  expect(planOf(valuesOf({ ...typed, connections_max: "3" }))).toEqual({
    name: "Basic",
    quota_bytes: 500_000_000,
    on_quota: "block",
    throttle_kbit_per_second: 1500,
    speed_kbit_per_second: null,
    connections_max: 3,
    devices_max: null,
    server_tags: [],
  });
  expect(
    planOf(valuesOf({ ...typed, speed_kbit_per_second: "2.5", server_tags: " fast,,fast , ipv6" })),
  ).toMatchObject({
    speed_kbit_per_second: 2500,
    server_tags: ["fast", "ipv6"],
  });
  expect(planOf(valuesOf({ ...typed, quota_bytes: "" })).quota_bytes).toBeNull();
});

test("what a plan has is shown as it would be typed", () => {
  expect([gigabytesOf(200e9), gigabytesOf(null), gigabytesOf(undefined)]).toEqual([
    200,
    undefined,
    undefined,
  ]);
  expect([megabitsOf(1500), megabitsOf(null), megabitsOf(undefined)]).toEqual([1.5, undefined, undefined]);
});
