import { expect, test } from "vitest";
import { formatCountdown, formatSpan } from "./format.ts";

test("a countdown never shows less than is left, nor less than nothing", () => {
  expect(formatCountdown(245)).toBe("4:05");
  expect(formatCountdown(0.2)).toBe("0:01");
  expect(formatCountdown(-3)).toBe("0:00");
  expect(formatCountdown(3729)).toBe("1:02:09");
});

test("a span is told in one unit", () => {
  expect([0, 1, 59, 60, 61, 3600, 7201, 172_800].map(formatSpan)).toEqual([
    "1 second",
    "1 second",
    "59 seconds",
    "1 minute",
    "2 minutes",
    "60 minutes",
    "3 hours",
    "2 days",
  ]);
});
