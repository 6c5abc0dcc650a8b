import { expect, test } from "vitest";
import { floorOf, rangeOf } from "./index.ts";

test("staff cannot tell one connection from none", () => {
  expect(rangeOf(0)).toBe(rangeOf(1));
  expect(rangeOf(9)).toBe("0–9");
  expect(rangeOf(10)).toBe("10–49");
  expect(rangeOf(123_456)).toBe("100000 or more");
  expect(floorOf(49)).toBe(10);
});
