import { expect, test } from "vitest";
import { sparkline } from "./sparkline.ts";

test("figures are drawn from nothing to the greatest of them, or to what is given", () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe("▁▂▃▄▅▆▇█");
  expect(sparkline([0, 0.5, 1], 8, 2)).toBe("▁▃▅");
  expect(sparkline([3, 9], 8, 3)).toBe("██");
  expect([sparkline([0, 0], 8), sparkline([], 8)]).toEqual(["▁▁", ""]);
});

test("what is not known is a gap", () => {
  expect(sparkline([undefined, 7, undefined, 0], 8)).toBe(" █ ▁");
});

test("a line that is too long is squeezed, and no peak is lost", () => {
  const values = Array.from({ length: 120 }, (_, index) => (index === 61 ? 9 : 0));
  expect(sparkline(values, 12)).toBe("▁▁▁▁▁▁█▁▁▁▁▁");
  expect(sparkline([undefined, undefined, 1, undefined], 2)).toBe(" █");
});
