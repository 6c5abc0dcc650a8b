import { expect, test } from "vitest";
import { duration } from "./duration.ts";

test("a length of time is read in any unit of which it makes whole ones", () => {
  const minutes = duration("m", 10_080);
  expect(["1m", "90m", "120s", "1h", "7d", "1w"].map(minutes)).toEqual([1, 90, 2, 60, 10_080, 10_080]);
  const days = duration("d", 3650);
  expect(["1d", "12w", "48h"].map(days)).toEqual([1, 84, 2]);
});

test("what is none, none at all, or too much is refused with what would be right", () => {
  const minutes = duration("m", 10_080);
  for (const text of ["", "1", "h", "0m", "-1h", "1.5h", "90s", "8d", "1 h", "1y", "99999999s"])
    expect(() => minutes(text), text).toThrow("30m, 1h or 7d is wanted, 7 days at most");
  expect(() => duration("d", 3650)("12h")).toThrow("30d or 12w");
});
