import { expect, test } from "vitest";
import { barsOf, widthOf } from "./bars.ts";

test("the oldest day stands first, the greatest fills the height, and nothing is no bar", () => {
  const days = [
    { day: "2026-11-21", mebibytes: 200 },
    { day: "2026-11-20", mebibytes: 0 },
    { day: "2026-11-19", mebibytes: 50 },
  ];
  expect(barsOf(days).map(({ day, height }) => [day, height])).toEqual([
    ["2026-11-19", 25],
    ["2026-11-20", 0],
    ["2026-11-21", 100],
  ]);
});

test("a little beside much is seen, and a day without use divides by nothing", () => {
  const days = [
    { day: "2026-11-21", mebibytes: 1_000_000 },
    { day: "2026-11-20", mebibytes: 1 },
  ];
  expect(barsOf(days).map(({ height }) => height)).toEqual([1, 100]);
  expect(barsOf([{ day: "2026-11-21", mebibytes: 0 }]).map(({ height }) => height)).toEqual([0]);
});

test("all bars lie within the width", () => {
  for (const count of [1, 14, 31]) {
    const days = Array.from({ length: count }, (_, day) => ({ day: String(day), mebibytes: day }));
    const last = barsOf(days).at(-1);
    expect((last?.x ?? 0) + (last?.width ?? 0)).toBeLessThanOrEqual(widthOf(count));
  }
});
