import fc from "fast-check";
import stringWidth from "string-width";
import { expect, test } from "vitest";
import { humanBytes, humanDay, humanDuration } from "./human.ts";
import { createOutput, plain, shorten } from "./output.ts";

const NOW = Date.parse("2026-11-20T23:00:00Z");

test("shortened text never takes more cells than there are", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 30 }), (text, width) => {
      const shown = plain(text);
      expect(stringWidth(shorten(shown, width))).toBeLessThanOrEqual(width);
      if (stringWidth(shown) <= width) expect(shorten(shown, width)).toBe(shown);
    }),
  );
});

test("rows line up whatever script the names are in", () => {
  const out = createOutput({
    stdout: { write: () => undefined },
    stderr: { write: () => undefined },
    json: false,
    env: {},
  });
  const columns = [
    { title: "NAME", value: (row: string) => row },
    { title: "END", value: () => "|" },
  ];
  const lines = out.table(columns, ["手机", "Phone", "é"]).split("\n").slice(1);
  expect(lines.map((line) => stringWidth(line.slice(0, line.indexOf("|"))))).toEqual([7, 7, 7]);
});

test("a narrow terminal shortens what may be, and never what is typed elsewhere", () => {
  const stdout = { write: () => undefined, isTTY: true, columns: 30 };
  const out = createOutput({ stdout, stderr: stdout, json: false, env: { NO_COLOR: "1" } });
  const value = (row: string) => row;
  const columns = [{ title: "JOB", value, isWhole: true } as const, { title: "WHAT", value }];
  const [, line] = out.table(columns, ["renew-tunnel-keys"]).split("\n");
  expect(line).toBe("renew-tunnel-keys  renew-tunn…");
});

test("lengths of time, days and bytes read well", () => {
  expect([0, 59, 60, 3600, 47 * 3600, 48 * 3600].map(humanDuration)).toEqual([
    "0 s",
    "59 s",
    "1 min",
    "1 h",
    "47 h",
    "2 days",
  ]);
  expect(["2026-11-20", "2026-11-19", "2026-11-01", "2027-01-01"].map((day) => humanDay(day, NOW))).toEqual([
    "2026-11-20 (today)",
    "2026-11-19 (yesterday)",
    "2026-11-01 (19 days ago)",
    "2027-01-01",
  ]);
  expect([0, 999, 1000, 15_300, 999_600, 1.5e9].map(humanBytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "15 kB",
    "1.0 MB",
    "1.5 GB",
  ]);
});
