import { expect, test } from "vitest";
import { createResetToken, isResetTokenFresh } from "./reset-token.ts";

const UNTIL = 1_800_000_000;

test("a token works until the second that stands in it", () => {
  const token = createResetToken(UNTIL);
  expect(token).toMatch(/^swp_[0-9a-z]+_[A-Za-z0-9_-]{43}$/);
  expect(isResetTokenFresh(token, UNTIL * 1000 - 1)).toBe(true);
  expect(isResetTokenFresh(token, UNTIL * 1000)).toBe(false);
});

test.each([
  "",
  "swp_",
  "swp__",
  "swv_abc_def",
  `swp_zzzzzzzzzzzz_${"a".repeat(43)}`,
  `swp_tow_${"a".repeat(42)}`,
  createResetToken(UNTIL).slice(0, -1),
])("%j is no token", (text) => expect(isResetTokenFresh(text, 0)).toBe(false));
