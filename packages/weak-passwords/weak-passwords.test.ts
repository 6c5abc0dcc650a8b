import { randomInt } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, expect, test } from "vitest";
import { encodeHashList, keyOf } from "./hash-list.ts";
import { openWeakPasswords } from "./index.ts";

const EMAIL = "rosalind@example.org";
const weak = openWeakPasswords();
afterAll(() => weak.close());

test.each([
  ["letmein12345", "common with a tail"],
  ["Passw0rd2026!", "common with digits for letters, capitals and a tail"],
  ["!!manchester", "common with a head"],
  ["ＰＡＳＳＷＯＲＤ１２３", "common in full-width letters"],
  ["1qaz2wsx3edc", "a pattern of keys that many draw"],
  ["rosalind99", "made of the mail address"],
  ["abcdefghij", "a run"],
  ["9876543210", "a run backwards"],
  ["ababababab", "of few characters"],
  ["Securewave1", "named for the service"],
])("%s is weak: %s", (password) => expect(weak.isWeak(password, EMAIL)).toBe(true));

test.each([
  "horse battery staple",
  "7fJ-qq0-ZZt-1",
  "ein Satz mit Leerzeichen",
  "пароль из слов",
  "🐢🐇🐎🐍🐟🐬🦋",
  "password and seven more words",
])("%s is strong enough", (password) => expect(weak.isWeak(password, EMAIL)).toBe(false));

test("what a password manager makes is refused once in 1,000 times at most", () => {
  const characters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  const passwords = Array.from({ length: 5000 }, (_, index) =>
    Array.from({ length: 10 + (index % 20) }, () => characters[randomInt(characters.length)]).join(""),
  );
  const refused = passwords.filter((password) => weak.isWeak(password, EMAIL));
  expect(refused.length).toBeLessThanOrEqual(5);
});

test("the longest password is judged as fast as any", () => {
  const startedMs = performance.now();
  expect(weak.isWeak("password".repeat(32), EMAIL)).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(50);
});

test("a further list refuses what is on it, as it is and in capitals", () => {
  using dir = temporaryDir("breached");
  const breachedPath = join(dir.path, "list");
  writeFileSync(
    breachedPath,
    encodeHashList(Float64Array.of(keyOf("zephyr-mosaic-41"), keyOf("Exact Case Only 9"))),
  );
  const strict = openWeakPasswords({ breachedPath });
  const judge = (password: string) => strict.isWeak(password, EMAIL);
  const words = ["zephyr-mosaic-41", "Zephyr-Mosaic-41", "Exact Case Only 9", "exact case only 9"];
  expect(words.map(judge)).toEqual([true, true, true, false]);
  expect(words.map((password) => weak.isWeak(password, EMAIL))).toEqual([false, false, false, false]);
  strict.close();
});
