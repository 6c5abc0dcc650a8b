import fc from "fast-check";
import { expect, test } from "vitest";
import { createMatcher, type Wanted } from "./matcher.ts";

function find(wanted: readonly Wanted[], chunks: readonly Buffer[]): string[] {
  const found: string[] = [];
  const stream = createMatcher(wanted).begin((index, offset, around, at) => {
    const bytes = wanted[index]?.bytes ?? Buffer.alloc(0);
    expect(around.subarray(at, at + bytes.length)).toEqual(bytes);
    found.push(`${index}@${offset}`);
  });
  for (const chunk of chunks) stream.write(Buffer.from(chunk));
  stream.end();
  return found.sort();
}

/** Byte by byte. */
function findPlainly(wanted: readonly Wanted[], whole: Buffer): string[] {
  const isDigit = (at: number) =>
    at >= 0 && at < whole.length && /[0-9]/.test(whole.toString("latin1", at, at + 1));
  return wanted
    .flatMap(({ bytes, isNumber }, index) =>
      Array.from({ length: whole.length }, (_, at) => at)
        .filter((at) => whole.subarray(at, at + bytes.length).equals(bytes))
        .filter((at) => !isNumber || !(isDigit(at - 1) || isDigit(at + bytes.length)))
        .map((at) => `${index}@${at}`),
    )
    .sort();
}

test("what is found is what a comparison of every place finds, however the stream is cut", () => {
  // Few different bytes make many matches, which overlap.
  const bytes = (minLength: number, maxLength: number) =>
    fc.array(fc.constantFrom(0, 0x31, 0x61), { minLength, maxLength }).map((list) => Buffer.from(list));
  const wanted = fc.array(fc.record({ bytes: bytes(4, 12), isNumber: fc.boolean() }), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(wanted, fc.array(bytes(0, 40), { maxLength: 8 }), (patterns, chunks) => {
      expect(find(patterns, chunks)).toEqual(findPlainly(patterns, Buffer.concat(chunks)));
    }),
    { numRuns: 300 },
  );
});

test("a match across the blocks of a long stream is found once, at every place", () => {
  const wanted = [{ bytes: Buffer.from("198.18.201.177"), isNumber: true }];
  const whole = Buffer.alloc(900_000, "x");
  const places = Array.from({ length: 3000 }, (_, at) => 100 + 297 * at);
  for (const place of places) wanted[0]?.bytes.copy(whole, place);
  const chunks = Array.from({ length: 90 }, (_, at) => whole.subarray(10_000 * at, 10_000 * (at + 1)));
  expect(find(wanted, chunks)).toEqual(places.map((place) => `0@${place}`).sort());
});
