import { expect, test } from "vitest";
import { parseFleetFilter } from "./fleet-filter.ts";

test("a view of the fleet in the address bar is taken over", () => {
  const filter = {
    search: "eu",
    state: "offline",
    region: "Frankfurt, Germany",
    order: "devices",
    isDescending: true,
    removed: true,
  };
  expect(parseFleetFilter(filter)).toEqual(filter);
});

test("what cannot be is no filter", () => {
  const wrong = {
    search: 7,
    state: "removed",
    region: "x".repeat(101),
    order: "__proto__",
    isDescending: "yes",
    removed: 1,
  };
  expect(Object.values(parseFleetFilter(wrong)).filter((value) => value !== undefined)).toEqual([]);
});
