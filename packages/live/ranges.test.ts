import { expect, test } from "vitest";
import { floorOf, rangeOf, speedFloorOf, speedRangeOf } from "./index.ts";

test("staff cannot tell one connection from none", () => {
  expect(rangeOf(0)).toBe(rangeOf(1));
  expect(rangeOf(9)).toBe("0–9");
  expect(rangeOf(10)).toBe("10–49");
  expect(rangeOf(123_456)).toBe("100000 or more");
  expect(floorOf(49)).toBe(10);
});

test("a speed is told by the half of its decade", () => {
  expect(speedRangeOf(0)).toBe("<1 Mbit/s");
  expect(speedRangeOf(999_999)).toBe("<1 Mbit/s");
  expect(speedRangeOf(1_000_000)).toBe("1–3 Mbit/s");
  expect(speedRangeOf(29_000_000)).toBe("10–30 Mbit/s");
  expect(speedRangeOf(999_000_000)).toBe("300–1000 Mbit/s");
  expect(speedRangeOf(1e9)).toBe("1–3 Gbit/s");
  expect(speedRangeOf(1e15)).toBe("100 Gbit/s or more");
  expect(speedFloorOf(29_000_000)).toBe(10_000_000);
  expect(speedRangeOf(speedFloorOf(29_000_000))).toBe(speedRangeOf(29_000_000));
});
