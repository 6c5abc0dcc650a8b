import fc from "fast-check";
import { expect, test } from "vitest";
import { createLogger, describeError, type LogFields } from "./logger.ts";

const lines: string[] = [];
const logger = createLogger("debug", { write: (line) => void lines.push(line) });

function lineOf(event: string, fields: object): string {
  lines.length = 0;
  logger.info(event, fields as LogFields);
  expect(lines).toHaveLength(1);
  return lines[0] ?? "";
}

const TEXTS = ["method", "route", "code", "internal", "nodeId", "job", "error"];
const NUMBERS = ["status", "milliseconds", "revision", "count"];
const ALLOWED = ["level", "time", "event", ...TEXTS, ...NUMBERS];

test("a line is one JSON object of the listed fields in their types, whatever is given", () => {
  const text = fc.string({ unit: "binary", maxLength: 60 });
  const name = fc.oneof(
    fc.constantFrom(...ALLOWED, "__proto__", "toJSON", "err", "msg", "pid", "hostname"),
    text,
  );
  const value = fc.oneof(text, fc.integer(), fc.anything());
  fc.assert(
    fc.property(text, fc.dictionary(name, value, { maxKeys: 10 }), (event, fields) => {
      const line = lineOf(event, fields);
      expect(line).toMatch(/^\{[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]*\}\n$/u);
      const read = JSON.parse(line);
      expect(Object.keys(read).filter((field) => !ALLOWED.includes(field))).toEqual([]);
      expect(line.match(/"(level|time|event)":/g)?.length).toBeGreaterThanOrEqual(3);
      expect(read.level).toBe(30);
      expect(read.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      for (const field of TEXTS) if (field in read) expect(typeof read[field]).toBe("string");
      for (const field of NUMBERS)
        if (field in read && read[field] !== null) expect(typeof read[field]).toBe("number");
    }),
    { numRuns: 500 },
  );
});

test("fields cannot overwrite level, time and event, nor bring a second one of them", () => {
  const line = lineOf("started", { level: 60, time: "never", event: "forged", msg: "forged", count: 1 });
  expect(line).not.toContain("forged");
  expect(line.match(/"(level|time|event)":/g)).toHaveLength(3);
});

test("texts are cut at a length that no fact of ours reaches", () => {
  expect(lineOf("x".repeat(100_000), { internal: "y".repeat(100_000) }).length).toBeLessThan(5000);
});

test("an error's message cannot pass for the place where it was thrown", () => {
  const canary = "198.51.100.77";
  const message = `no\n    at login (/packages/${canary}:1:1)\n    at ${canary} (node:${canary}:1:1)`;
  const named = new Error("x");
  named.name = canary;
  const coded = Object.assign(new Error("x"), { code: `swr_${canary}` });
  const changed = new Error(message);
  expect(changed.stack).toContain(canary); // V8 writes it at the first look
  changed.message = "another";
  const odd = { [canary]: () => new Error("x") }[canary]?.();
  const noStack = new Error(message);
  delete noStack.stack;
  for (const error of [new Error(message), new TypeError(message), named, coded, changed, odd, noStack]) {
    expect(JSON.stringify(describeError(error))).not.toContain(canary);
  }
  expect(describeError(new TypeError(message)).error).toMatch(
    /^TypeError at .*\(?apps\/control-plane\/log-lines\.test\.ts:\d+:\d+/,
  );
  expect(describeError(changed).error).toBe("Error somewhere");
});
