import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { admit, NO_SLOTS, type Slots, WITHHELD_SECONDS } from "./connection-limit.ts";

const WITHHELD_MS = WITHHELD_SECONDS * 1000;
const keys = (text: string) => new Set(text);

function after(...steps: readonly [connected: string, atMs: number][]): Slots {
  return steps.reduce((slots, [connected, atMs]) => admit(slots, keys(connected), 2, atMs), NO_SLOTS);
}

test("the newest device beyond the limit is kept away, the others are untouched", () => {
  const slots = after(["z", 0], ["zy", 5000], ["zya", 10_000]);
  expect(slots.admitted).toEqual(["z", "y"]);
  expect([...slots.withheld.keys()]).toEqual(["a"]);
});

test("who is kept away and still seen takes no place from those who are in", () => {
  const slots = after(["zy", 0], ["zya", 5000], ["zya", 10_000], ["za", 15_000]);
  expect(slots.admitted).toEqual(["z"]);
  expect(slots.withheld.has("a")).toBe(true);
});

test("after a minute it comes in if there is a place, and not while there is none", () => {
  const full = after(["yz", 0], ["ayz", 0], ["yz", WITHHELD_MS + 1]);
  expect(full.withheld.has("a")).toBe(true);
  const free = after(["yz", 0], ["ayz", 0], ["y", WITHHELD_MS - 1]);
  expect(free.withheld.has("a")).toBe(true);
  const released = admit(free, keys("y"), 2, WITHHELD_MS);
  expect(released.withheld.size).toBe(0);
  expect(admit(released, keys("ya"), 2, WITHHELD_MS + 5000).admitted).toEqual(["y", "a"]);
});

test("a device that goes and comes back is a new one", () => {
  expect(after(["ab", 0], ["b", 1], ["bc", 2], ["abc", 3]).admitted).toEqual(["b", "c"]);
});

test("a clock that was set back keeps nobody away for longer than a minute", () => {
  const slots = admit(after(["ab", 0], ["abc", 10_000_000]), keys("a"), 2, 0);
  expect(slots.withheld.get("c")).toBe(WITHHELD_MS);
});

describe("whatever comes and goes", () => {
  const sets = fc.array(fc.uniqueArray(fc.constantFrom(..."abcdefg")), { maxLength: 30 });
  const limits = fc.integer({ min: 1, max: 4 });

  test("no more are in than the limit, none is both in and kept away, and nobody who was in is put out", () => {
    fc.assert(
      fc.property(sets, limits, fc.nat({ max: 40_000 }), (history, limit, stepMs) => {
        let slots = NO_SLOTS;
        history.forEach((connected, index) => {
          const next = admit(slots, new Set(connected), limit, index * stepMs);
          expect(next.admitted.length).toBeLessThanOrEqual(limit);
          expect(next.admitted.filter((key) => next.withheld.has(key))).toEqual([]);
          const stayed = slots.admitted.filter((key) => connected.includes(key));
          expect(next.admitted.slice(0, stayed.length)).toEqual(stayed);
          slots = next;
        });
      }),
    );
  });

  test("within the limit nobody is ever kept away", () => {
    fc.assert(
      fc.property(sets, (history) => {
        let slots = NO_SLOTS;
        history.forEach((connected, index) => {
          slots = admit(slots, new Set(connected.slice(0, 3)), 3, index * 5000);
          expect(slots.withheld.size).toBe(0);
        });
      }),
    );
  });

  test("without a limit, or once it is lifted, everybody is in", () => {
    fc.assert(
      fc.property(sets, limits, (history, limit) => {
        const slots = history.reduce<Slots>((held, set) => admit(held, new Set(set), limit, 0), NO_SLOTS);
        const all = new Set("abcdefg");
        expect(admit(slots, all, null, 0)).toEqual({ admitted: [...all], withheld: new Map() });
      }),
    );
  });
});
