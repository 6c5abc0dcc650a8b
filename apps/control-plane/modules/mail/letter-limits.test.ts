import { createManualClock, systemClock } from "@securewave/foundation";
import { type Asked, createRateLimits } from "@securewave/sentinel/rate-limit";
import { openSharedStore } from "@securewave/sentinel/redis";
import { openTestRedis, redisRequirements } from "@securewave/testing/redis";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createLetterLimits, type LetterKind } from "./index.ts";

const ANNA = "anna@example.org";
const HOUR_MS = 3_600_000;
const START_MS = Date.parse("2026-11-20T10:00:00Z");

test("one address gets five letters an hour, and of one kind one a minute and three an hour, whatever is asked when", async () => {
  const asked = fc.record({
    waitSeconds: fc.integer({ min: 0, max: 900 }),
    kind: fc.constantFrom<LetterKind>("reset", "account"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { maxLength: 60 }), async (requests) => {
      const clock = createManualClock(START_MS);
      const limits = createRateLimits({ clock });
      const letters = createLetterLimits({ clock, limits });
      const sent: { atMs: number; kind: LetterKind }[] = [];
      for (const { waitSeconds, kind } of requests) {
        clock.advanceSeconds(waitSeconds);
        if (!(await letters.admit(ANNA, kind))) continue;
        sent.push({ atMs: clock.now(), kind });
        const ofHour = sent.filter(({ atMs }) => atMs > clock.now() - HOUR_MS);
        expect(ofHour.length).toBeLessThanOrEqual(5);
        expect(ofHour.filter((each) => each.kind === kind).length).toBeLessThanOrEqual(3);
        const ofMinute = sent.filter(({ atMs }) => atMs > clock.now() - 60_000);
        expect(ofMinute.filter((each) => each.kind === kind)).toHaveLength(1);
      }
      limits.close();
    }),
  );
});

test("whoever uses up the letters of one kind leaves the owner some of the other", async () => {
  const clock = createManualClock(START_MS);
  const letters = createLetterLimits({ clock });
  for (let minute = 0; minute < 10; minute++) {
    await letters.admit(ANNA, "account");
    clock.advanceSeconds(66);
  }
  expect(await letters.admit(ANNA, "account")).toBe(false);
  expect(await letters.admit(ANNA, "reset")).toBe(true);
});

test("letters to one address leave those to others alone", async () => {
  const letters = createLetterLimits({ clock: createManualClock(START_MS) });
  expect(await letters.admit(ANNA, "reset")).toBe(true);
  expect(await letters.admit(ANNA, "reset")).toBe(false);
  expect(await letters.admit("bob@example.org", "reset")).toBe(true);
});

test("what is counted under is a pseudonym that says nothing of the address", async () => {
  const asked: Asked[] = [];
  const limits = {
    takeAll(all: readonly Asked[]) {
      asked.push(...all);
      return [];
    },
  };
  const clock = createManualClock(START_MS);
  for (const key of [1, 2])
    await createLetterLimits({ clock, limits, key: new Uint8Array(32).fill(key) }).admit(ANNA, "reset");
  const keys = asked.map(([, key]) => key);
  expect(keys.join(" ")).not.toMatch(/anna|example/i);
  expect(new Set(keys).size).toBe(4); // two keys, and under each the address alone and with the kind
});

const needs = redisRequirements();

test.skipIf(!needs.ok)(needs.title("over Redis, two replicas send no more letters than one"), async () => {
  await using redis = await openTestRedis();
  const key = new Uint8Array(32).fill(7);
  const replicas = await Promise.all(
    [1, 2].map(async () => {
      const store = openSharedStore({ url: redis.url, clock: systemClock, key });
      expect(await store.settled(5000)).toBe("up");
      const limits = createRateLimits({ clock: systemClock, store });
      return { store, limits, letters: createLetterLimits({ clock: systemClock, limits, key }) };
    }),
  );
  const admitted: boolean[] = [];
  for (let round = 0; round < 3; round++)
    for (const { letters } of replicas) admitted.push(await letters.admit(ANNA, "reset"));
  expect(admitted).toEqual([true, false, false, false, false, false]);
  for (const { limits, store } of replicas) {
    limits.close();
    await store.close();
  }
});
