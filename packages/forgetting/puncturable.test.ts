import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  childOf,
  createPuncturableKey,
  INDEX_MAX,
  type PuncturableKey,
  parsePuncturableKey,
} from "./puncturable.ts";

const ROOT = Buffer.alloc(32, 7);
const index = fc.oneof(
  fc.nat({ max: 7 }),
  fc.nat({ max: INDEX_MAX }),
  fc.nat({ max: 7 }).map((back) => INDEX_MAX - back),
);
const indexes = fc.uniqueArray(index, { maxLength: 12 });

function punctured(list: readonly number[]): PuncturableKey {
  const key = createPuncturableKey(ROOT);
  key.punctureAll(list);
  return key;
}

/** Places of the subtrees that are held. */
function places(key: PuncturableKey): string[] {
  return [...key.nodes()].map(({ depth, prefix }) => `${depth}/${prefix}`).sort();
}

describe("a puncturable key", () => {
  test("its tree grows by HMAC-SHA256", () => {
    for (const bit of [0, 1]) {
      const hmac = createHmac("sha256", ROOT)
        .update(Buffer.from([bit]))
        .digest();
      expect(childOf(ROOT, bit)).toEqual(hmac);
    }
  });

  test("gives each index a key of its own, the same each time", () => {
    const key = createPuncturableKey(ROOT);
    const all = [0, 1, 2, 3, 2 ** 31, INDEX_MAX - 1, INDEX_MAX].map((each) =>
      key.keyOf(each)?.toString("hex"),
    );
    expect(new Set(all).size).toBe(all.length);
    expect(key.keyOf(3)).toEqual(createPuncturableKey(ROOT).keyOf(3));
  });

  test("holds no node above a punctured index, so nothing that its key could be derived from", () => {
    fc.assert(
      fc.property(indexes, (list) => {
        const key = punctured(list);
        for (const gone of list) {
          expect(key.keyOf(gone)).toBeUndefined();
          expect(key.isPunctured(gone)).toBe(true);
          const above = [...key.nodes()].filter(
            ({ depth, prefix }) => Math.floor(gone / 2 ** (32 - depth)) === prefix,
          );
          expect(above).toEqual([]);
        }
      }),
    );
  });

  test("no seed of the way down to a punctured index is left in what is written", () => {
    fc.assert(
      fc.property(index, (gone) => {
        const key = createPuncturableKey(ROOT);
        key.puncture(gone);
        const bytes = key.serialise();
        let seed: Buffer = ROOT;
        expect(bytes.includes(seed)).toBe(false);
        for (let depth = 1; depth <= 32; depth++) {
          seed = childOf(seed, Math.floor(gone / 2 ** (32 - depth)) % 2);
          expect(bytes.includes(seed)).toBe(false);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("a puncture changes no other key", () => {
    fc.assert(
      fc.property(indexes, indexes, (gone, others) => {
        const [key, whole] = [punctured(gone), createPuncturableKey(ROOT)];
        for (const other of others) {
          if (!gone.includes(other)) expect(key.keyOf(other)).toEqual(whole.keyOf(other));
        }
        for (const near of gone.map((each) => (each % 2 === 0 ? each + 1 : each - 1))) {
          if (!gone.includes(near)) expect(key.keyOf(near)).toEqual(whole.keyOf(near));
        }
      }),
    );
  });

  test("the order of punctures leaves no trace", () => {
    fc.assert(
      fc.property(indexes, fc.func(fc.nat()), (list, rank) => {
        const shuffled = [...list].sort((a, b) => rank(a) - rank(b));
        const [one, other] = [punctured(list), punctured(shuffled)];
        // The name of the tree is drawn for each; all that follows it is equal, but for the checksum.
        expect(other.serialise().subarray(21, -32)).toEqual(one.serialise().subarray(21, -32));
      }),
    );
  });

  test("it is as small as the subtrees that are left: neighbours that are gone cost nothing", () => {
    expect(punctured([]).size()).toBe(1);
    expect(punctured([5]).size()).toBe(32);
    expect(punctured([4, 5]).size()).toBe(31);
    expect(punctured(Array.from({ length: 4096 }, (_, each) => each)).size()).toBe(20);
    expect(punctured([0, INDEX_MAX]).size()).toBe(62);
  });

  test("what is serialised is parsed as it was, and goes on forgetting", () => {
    fc.assert(
      fc.property(indexes, index, (list, next) => {
        const key = punctured(list);
        const parsed = parsePuncturableKey(key.serialise());
        expect(parsed?.serialise()).toEqual(key.serialise());
        parsed?.puncture(next);
        expect(parsed?.isPunctured(next)).toBe(true);
        expect(parsed?.id).toEqual(key.id);
      }),
    );
  });

  test("bytes that were changed or cut are not parsed", () => {
    const bytes = punctured([1, 99]).serialise();
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const wrong = Buffer.from(bytes);
        wrong[at] = (wrong[at] ?? 0) ^ change;
        expect(parsePuncturableKey(wrong)).toBeUndefined();
        expect(parsePuncturableKey(bytes.subarray(0, at))).toBeUndefined();
      }),
    );
    expect(parsePuncturableKey(Buffer.alloc(0))).toBeUndefined();
  });

  test("two copies are united into what neither of them has punctured", () => {
    fc.assert(
      fc.property(indexes, indexes, indexes, (before, left, right) => {
        const origin = punctured(before).serialise();
        const copies = [left, right].map((list) => {
          const copy = parsePuncturableKey(origin);
          copy?.punctureAll(list);
          return copy;
        });
        const [one, other] = copies;
        if (!one || !other) throw new TypeError("both can be parsed");
        const isChanged = one.punctureAsIn(other);
        expect(places(one)).toEqual(places(punctured([...before, ...left, ...right])));
        expect(isChanged).toBe(right.some((each) => ![...before, ...left].includes(each)));
        for (const each of [...before, ...left, ...right]) expect(one.isPunctured(each)).toBe(true);
        const [whole, some] = [createPuncturableKey(ROOT), 123_456_789];
        expect(one.keyOf(some)).toEqual(one.isPunctured(some) ? undefined : whole.keyOf(some));
      }),
    );
  });

  test("another tree is not taken for a copy", () => {
    const key = punctured([]);
    expect(key.punctureAsIn(punctured([1]))).toBeUndefined();
    expect(key.isPunctured(1)).toBe(false);
  });

  test("numbers outside 32 bits are a bug", () => {
    const key = punctured([]);
    for (const wrong of [-1, 0.5, 2 ** 32, Number.NaN]) expect(() => key.keyOf(wrong)).toThrow(/32 bits/);
  });
});
