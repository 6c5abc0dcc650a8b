import { expect, test } from "vitest";
import { figureText, percentText } from "./words.ts";

test("a share is never rounded up to a whole", () => {
  expect(percentText(0.999996, 3)).toBe("99.999 %");
  expect(percentText(1, 3)).toBe("100.000 %");
  expect(percentText(0.57)).toBe("57.00 %");
});

test("what was not measured is not shown as a figure", () => {
  expect(percentText(null)).toBe("Not known");
  expect(figureText("mean_ms", null)).toBe("Not known");
  expect(figureText("mean_ms", 41.27)).toBe("41.3 ms");
});
