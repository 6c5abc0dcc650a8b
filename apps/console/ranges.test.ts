import { expect, test } from "vitest";
import { lowerEnd } from "./ranges.ts";

test("ranges of counts and of speeds are told by where they begin", () => {
  const speeds = ["<1 Mbit/s", "1–3 Mbit/s", "300–1000 Mbit/s", "1–3 Gbit/s", "100 Gbit/s or more"];
  expect(speeds.map(lowerEnd)).toEqual([0, 1e6, 3e8, 1e9, 1e11]);
  expect(["0–9", "50–99", "100000 or more"].map(lowerEnd)).toEqual([0, 50, 100_000]);
});

test("what is no range has no beginning", () => {
  expect(["", "many", "1-3", "x 3 Mbit/s"].map(lowerEnd)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
