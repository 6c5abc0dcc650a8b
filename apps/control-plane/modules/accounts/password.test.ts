import { expect, test } from "vitest";
import { hashPassword, isRightPassword } from "./password.ts";

test("stored is an Argon2id hash with a salt of its own; without an account no password is right", async () => {
  const [one, two] = await Promise.all([hashPassword("a long password"), hashPassword("a long password")]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(one).not.toBe(two);
  expect(await isRightPassword(one, "a long password")).toBe(true);
  expect(await isRightPassword(one, "a long passwore")).toBe(false);
  expect(await isRightPassword(undefined, "no such account")).toBe(false);
});
