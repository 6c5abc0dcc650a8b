import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createRecentKeys, RECENT_KEYS_MAX, RECENT_KEYS_MS } from "./recent-keys.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout"] }));
afterEach(() => void vi.useRealTimers());

function openScene() {
  const erased = new Set<number>();
  const derived: number[] = [];
  const recent = createRecentKeys({
    isErased: (number) => erased.has(number),
    keyOf(number) {
      derived.push(number);
      return erased.has(number) ? undefined : Buffer.alloc(32, number);
    },
  });
  return { erased, derived, recent };
}

test("a key that is asked for again is not derived again, and is the same", () => {
  const { derived, recent } = openScene();
  const sealed = recent.of(1)?.seal("devices.name", "dev_1", "phone") ?? Buffer.of();
  expect(recent.of(1)?.open("devices.name", "dev_1", sealed)).toBe("phone");
  expect(() => recent.of(2)?.open("devices.name", "dev_1", sealed)).toThrow();
  expect(derived).toEqual([1, 2]);
});

test("an erased key is given to nobody from then on, whether or not it was asked for before", () => {
  const { erased, recent } = openScene();
  recent.of(1);
  erased.add(1);
  expect(recent.of(1)).toBeUndefined();
  expect(recent.of(1)).toBeUndefined();
});

test("dropping the erased leaves the others", () => {
  const { erased, derived, recent } = openScene();
  for (const number of [1, 2, 3]) recent.of(number);
  erased.add(2);
  recent.dropErased();
  erased.clear(); // what was dropped would have to be derived
  for (const number of [1, 2, 3]) recent.of(number);
  expect(derived).toEqual([1, 2, 3, 2]);
});

test("no key stays for longer than a minute, however often it is asked for", () => {
  const { derived, recent } = openScene();
  for (let round = 0; round < 2; round++) {
    for (let second = 0; second < 60; second++) {
      recent.of(1);
      vi.advanceTimersByTime(RECENT_KEYS_MS / 60);
    }
    expect(derived).toHaveLength(round + 1);
  }
});

test("no more than a thousand stay", () => {
  const { derived, recent } = openScene();
  for (let number = 0; number <= RECENT_KEYS_MAX; number++) recent.of(number);
  recent.of(RECENT_KEYS_MAX);
  recent.of(0);
  expect(derived).toHaveLength(RECENT_KEYS_MAX + 2);
});
