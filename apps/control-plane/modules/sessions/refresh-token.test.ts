import { createId } from "@securewave/foundation";
import { keyedHash } from "@securewave/foundation/derive";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createRefreshTokens } from "./refresh-token.ts";

const sessionId = createId("session");
const made = { hashes: 0 };
const tokens = createRefreshTokens((text) => {
  made.hashes++;
  return keyedHash(new Uint8Array(32).fill(1), text);
});

function parsed(text: string) {
  const token = tokens.parse(text);
  if (!token) throw new Error("a refresh token is one");
  return token;
}

/** The token that comes so many steps after the first. */
function tokenAfter(steps: number): string {
  let text = tokens.first(sessionId);
  for (let step = 0; step < steps; step++) text = parsed(text).next();
  return text;
}

/** The same token with another number in its chain. */
const renumbered = (text: string, number: number | string) =>
  text.replace(/_\d+(?=_[\w-]{43}$)/, `_${number}`);

test("each token leads to one other, and names the log-in that it is of", () => {
  const text = tokenAfter(3);
  expect(parsed(text).next()).toBe(parsed(text).next());
  expect(parsed(text).sessionId).toBe(sessionId);
  expect(text.length).toBeLessThanOrEqual(200);
});

test("every token of a chain is known for one, however long ago it was used", () => {
  let text = tokens.first(sessionId);
  for (let step = 0; step < 200; step++) {
    expect(parsed(text).isOfChain()).toBe(true);
    text = parsed(text).next();
  }
});

test("what no chain has is none, whatever number it claims", () => {
  const text = tokenAfter(2);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999 }), (number) => {
      expect(parsed(renumbered(text, number)).isOfChain()).toBe(number === 2);
    }),
  );
  const foreign = tokens.first(createId("session"));
  expect(parsed(foreign.replace(parsed(foreign).sessionId, sessionId)).isOfChain()).toBe(false);
  const other = createRefreshTokens((unproved) => keyedHash(new Uint8Array(32).fill(2), unproved));
  expect(other.parse(text)?.isOfChain()).toBe(false);
});

test("to tell a guess costs one hash, and to go on one more, whatever number the token claims", () => {
  const text = tokenAfter(1);
  for (const number of [0, 1, 2, 5_000, 999_999_999]) {
    made.hashes = 0;
    const token = parsed(renumbered(text, number));
    expect(made.hashes).toBe(0);
    token.isOfChain();
    expect(made.hashes).toBe(1);
    token.next();
    expect(made.hashes).toBe(2);
  }
});

test.each(["", "x", "swr_", `swr_${sessionId}`, `swr_${sessionId}_${"A".repeat(43)}`, "a".repeat(200)])(
  "%j has not the form of a token",
  (text) => {
    expect(tokens.parse(text)).toBeUndefined();
  },
);

test.each(["01", "-1", "1e3", "1000000000", "+1", " 1", ""])("a token is numbered %j by nobody", (number) => {
  expect(tokens.parse(renumbered(tokenAfter(1), number))).toBeUndefined();
});
