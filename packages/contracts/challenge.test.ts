import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { leadingZeroBits, parseChallenge, parseSolution, solveChallenge } from "./challenge.ts";

const challengeOf = (bits: number, purpose = "login") =>
  `c1.${purpose}.${bits}.1790000000.${"i".repeat(22)}.${"m".repeat(43)}`;

/** By another way than the code's: bit by bit. */
function zeroBitsOf(text: string): number {
  const hash = createHash("sha256").update(text).digest();
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.indexOf("1");
}

test("a solution is the challenge with a number behind it, whose hash begins with the zeros asked for", async () => {
  for (const bits of [1, 7, 8, 9, 12]) {
    for (const purpose of ["login", "x", "a".repeat(32)]) {
      const solution = await solveChallenge(challengeOf(bits, purpose));
      expect(solution).toMatch(new RegExp(`^${challengeOf(bits, purpose).replaceAll(".", "[.]")}[.][0-9]+$`));
      expect(zeroBitsOf(solution)).toBeGreaterThanOrEqual(bits);
      expect(parseSolution(solution)).toEqual(parseChallenge(challengeOf(bits, purpose)));
    }
  }
});

test("zero bits are counted up to 32", () => {
  expect(leadingZeroBits(new Uint8Array([0x80, 0, 0, 0]))).toBe(0);
  expect(leadingZeroBits(new Uint8Array([0, 0x10, 0, 0]))).toBe(11);
  expect(leadingZeroBits(new Uint8Array(32))).toBe(32);
  fc.assert(
    fc.property(fc.string(), (text) => {
      const hash = createHash("sha256").update(text).digest();
      expect(leadingZeroBits(hash)).toBe(Math.min(32, zeroBitsOf(text)));
    }),
  );
});

test("a challenge says what it is for, how hard it is and when it ends", () => {
  expect(parseChallenge(challengeOf(18))).toMatchObject({
    purpose: "login",
    difficultyBits: 18,
    endsAtSeconds: 1_790_000_000,
    id: "i".repeat(22),
  });
});

test("solving tells how it goes and stops when it is told", async () => {
  const stop = new AbortController();
  const shares: number[] = [];
  const onProgress = (share: number) => {
    shares.push(share);
    if (shares.length === 3) stop.abort(new Error("the person left"));
  };
  const solving = solveChallenge(challengeOf(26), { signal: stop.signal, onProgress });
  await expect(solving).rejects.toThrow("the person left");
  expect(shares).toHaveLength(3);
  expect(shares.toSorted((a, b) => a - b)).toEqual(shares);
  expect(shares.every((share) => share > 0 && share < 1)).toBe(true);
});

test("solving does not begin for somebody who left before", async () => {
  const solving = solveChallenge(challengeOf(1), { signal: AbortSignal.abort(new Error("the person left")) });
  await expect(solving).rejects.toThrow("the person left");
});

test.each([
  "",
  "c1",
  challengeOf(0),
  challengeOf(27),
  challengeOf(99),
  `${challengeOf(8)}.1`,
  challengeOf(8, "A"),
])("solving refuses %j, which is no challenge", async (text) => {
  await expect(solveChallenge(text)).rejects.toThrow(TypeError);
});

test("no text makes the parsers fail, and a long one takes linear time (ReDoS)", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      expect(parseChallenge(text)).toBeUndefined();
      expect(parseSolution(`${challengeOf(8)}.${text}x`)).toBeUndefined();
      expect(parseSolution(text)).toBeUndefined();
    }),
  );
  const startedAt = performance.now();
  for (const piece of [".", "c1.", "c1.a.1.1.", "0", "a"]) {
    const long = `c1.${piece.repeat(1_000_000 / piece.length)}`;
    expect(parseChallenge(long)).toBeUndefined();
    expect(parseSolution(long)).toBeUndefined();
  }
  expect(performance.now() - startedAt).toBeLessThan(500);
});
