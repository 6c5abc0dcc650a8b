import { fakeHour } from "@securewave/contracts/testing/fake-nodes";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { levelsOf, linesOf, pathOf, sampleAt, scaleTop } from "./series.ts";

const BOX = { width: 100, height: 10 };

test("an hour of samples is one line, in time from left to right, whatever order it came in", () => {
  const samples = fakeHour(1);
  const [line, ...others] = linesOf(samples.toReversed(), ({ processor }) => processor);
  expect(others).toEqual([]);
  expect(line).toHaveLength(120);
  expect(line?.[0]?.ageSeconds).toBeGreaterThan(3500);
  expect(line?.at(-1)).toEqual({ ageSeconds: 0, value: 1 });
});

test("a line is broken where nothing is known, and where samples are missing", () => {
  const samples = fakeHour().map((sample, index) => (index === 60 ? { ...sample, processor: null } : sample));
  expect(linesOf(samples, ({ processor }) => processor).map((line) => line.length)).toEqual([60, 59]);
  const holed = fakeHour().filter((_, index) => index < 20 || index >= 24);
  expect(linesOf(holed, ({ processor }) => processor).map((line) => line.length)).toEqual([20, 96]);
});

test("a path stays within its box", () => {
  const points = fc.array(
    fc.record({ ageSeconds: fc.nat(5000), value: fc.double({ min: 0, max: 1e6, noNaN: true }) }),
    { minLength: 1, maxLength: 20 },
  );
  fc.assert(
    fc.property(points, (line) => {
      const numbers = pathOf(line, BOX, 1000, false).match(/-?\d+(\.\d+)?/g) ?? [];
      for (const number of numbers) {
        expect(Number(number)).toBeGreaterThanOrEqual(0);
        expect(Number(number)).toBeLessThanOrEqual(100);
      }
    }),
  );
});

test("steps go level, then up; a lonely sample is a dot", () => {
  const line = [
    { ageSeconds: 1800, value: 0 },
    { ageSeconds: 0, value: 1 },
  ];
  expect(pathOf(line, BOX, 1, true)).toBe("M50 10H100V0");
  expect(pathOf(line, BOX, 1, false)).toBe("M50 10L100 0");
  expect(pathOf(line.slice(0, 1), BOX, 1, false)).toBe("M50 10h0");
  expect(pathOf([], BOX, 1, false)).toBe("");
});

test("ranges become levels by what they mean and not by how they are written", () => {
  expect(levelsOf(["100–249", null, "0–9", "50–99", "0–9"])).toEqual(["0–9", "50–99", "100–249"]);
  expect(levelsOf(["1–3 Gbit/s", "300–1000 Mbit/s", "<1 Mbit/s"])).toEqual([
    "<1 Mbit/s",
    "300–1000 Mbit/s",
    "1–3 Gbit/s",
  ]);
});

test("a scale ends at a round figure, at or above what it shows", () => {
  expect([0, 1, 1.5, 18, 22, 99, 100, 101].map(scaleTop)).toEqual([1, 1, 2, 20, 50, 100, 100, 200]);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (max) => {
      expect(scaleTop(max)).toBeGreaterThanOrEqual(max);
    }),
  );
});

test("the sample at a moment is the nearest one, and none where a minute around it is empty", () => {
  const samples = fakeHour();
  expect(sampleAt(samples, 44)?.age_seconds).toBe(30);
  expect(sampleAt(samples, 46)?.age_seconds).toBe(60);
  expect(sampleAt(samples.slice(0, 10), 0)).toBeUndefined();
});
