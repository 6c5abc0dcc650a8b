import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDir } from "@securewave/testing/temporary";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { encodeHashList, keyOf, keyOfHash, openHashList } from "./hash-list.ts";

const dir = temporaryDir("hash-list");
afterAll(() => dir.remove());
const path = join(dir.path, "list");

function listOf(texts: readonly string[]) {
  writeFileSync(path, encodeHashList(Float64Array.from(texts, keyOf)));
  return openHashList(path);
}

test("what is on a list is found, whatever it is and however long the list", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: "binary" }), { maxLength: 300 }), (texts) => {
      const list = listOf(texts);
      expect(list.size).toBe(texts.length);
      for (const text of texts) expect(list.has(text)).toBe(true);
      expect(list.has(`not there ${texts.length}`)).toBe(false);
      list.close();
    }),
    { numRuns: 50 },
  );
});

test("a list too long for memory is read where it lies", () => {
  const texts = Array.from({ length: 300_000 }, (_, index) => `password ${index}`);
  const list = listOf(texts);
  expect(list.size).toBe(300_000);
  for (let index = 0; index < texts.length; index += 999) expect(list.has(`password ${index}`)).toBe(true);
  expect(list.has("password 300001")).toBe(false);
  list.close();
});

test("a SHA-1 as Have I Been Pwned writes it is the same entry as its password", () => {
  expect(keyOfHash("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8")).toBe(keyOf("password"));
});

describe("the list of common passwords", () => {
  const source = fileURLToPath(import.meta.resolve("@zxcvbn-ts/language-common/src/passwords.json"));
  const passwords: string[] = JSON.parse(readFileSync(source, "utf8"));
  const shipped = fileURLToPath(new URL("common-passwords.list", import.meta.url));
  const list = openHashList(shipped);
  afterAll(() => list.close());

  test("is the one that its source makes, below 200 kB", () => {
    const bytes = readFileSync(shipped);
    expect(bytes.equals(encodeHashList(Float64Array.from(passwords, keyOf)))).toBe(true);
    expect(bytes.length).toBeLessThan(200_000);
  });

  test("has every password of its source, and fewer than one in 1,000 of others", () => {
    expect(passwords.length).toBeGreaterThan(49_000);
    expect(passwords.filter((password) => !list.has(password))).toEqual([]);
    const others = Array.from({ length: 100_000 }, (_, index) => `someone's other password ${index}`);
    expect(others.filter((other) => list.has(other)).length).toBeLessThan(10);
  });
});

test.each([
  ["that is not there", undefined],
  ["that is empty", Buffer.alloc(0)],
  ["that is something else", Buffer.from("SWHL is how this text begins")],
  ["that was cut off", encodeHashList(Float64Array.of(1, 2, 3)).subarray(0, -1)],
  ["with too many buckets", Buffer.from("SWHL\x01\x20\0\0")],
])("a file %s is refused", (_, bytes) => {
  const other = join(dir.path, "other");
  if (bytes) writeFileSync(other, bytes);
  expect(() => openHashList(bytes ? other : join(dir.path, "none"))).toThrow(
    expect.objectContaining({ code: "hash_list.unreadable" }),
  );
});
