import fc from "fast-check";
import { expect, test } from "vitest";
import { hashPassword, isRightPassword, isWeakPassword } from "./password.ts";

const EMAIL = "rosalind@example.org";

test.each(["letmein12345", "rosalind99", "abcdefghij", "9876543210", "ababababab", "Securewave1"])(
  "%s is weak",
  (password) => expect(isWeakPassword(password, EMAIL)).toBe(true),
);

test.each([
  "horse battery staple",
  "7fJ-qq0-ZZt-1",
  "ein Satz mit Leerzeichen",
  "пароль из слов",
  "🐢🐇🐎🐍🐟🐬🦋",
])("%s is strong enough", (password) => expect(isWeakPassword(password, EMAIL)).toBe(false));

test("what a random password manager makes is never refused", () => {
  const character = fc.constantFrom(..."abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789");
  const password = fc
    .array(character, { minLength: 20, maxLength: 30 })
    .map((characters) => characters.join(""));
  fc.assert(
    fc.property(password, (text) => {
      fc.pre(new Set(text.toLowerCase()).size >= 10);
      expect(isWeakPassword(text, EMAIL)).toBe(false);
    }),
  );
});

test("stored is an Argon2id hash with a salt of its own; without an account no password is right", async () => {
  const [one, two] = await Promise.all([hashPassword("a long password"), hashPassword("a long password")]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(one).not.toBe(two);
  expect(await isRightPassword(one, "a long password")).toBe(true);
  expect(await isRightPassword(one, "a long passwore")).toBe(false);
  expect(await isRightPassword(undefined, "no such account")).toBe(false);
});
