import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type Clock, createManualClock, DAY_MS, HOUR_MS } from "@securewave/foundation";
import { eventually } from "@securewave/testing";
import { openTestRedis, redisRequirements, type TestRedis } from "@securewave/testing/redis";
import { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import { createDayKeys, createOrigins } from "../origins/index.ts";
import { createSharedDayKeys, openSharedStore } from "./index.ts";

const needs = redisRequirements();
const key = randomBytes(32);
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.skipIf(!needs.ok)(needs.title("shared keys of the day"), () => {
  test("replicas give an origin the same tag, today and as yesterday's, also over midnight", async () => {
    const { redis, clock } = await scene();
    const [one, two] = [replica(redis, clock), replica(redis, clock)];
    await eventually(() => expect(one()).toEqual(two()));
    const before = one();
    expect(before.tag).not.toBe(before.previousTag);
    clock.advanceSeconds((DAY_MS - HOUR_MS / 2) / 1000);
    const [three, four] = [replica(redis, clock), replica(redis, clock)];
    await eventually(() => expect([three(), four()]).toEqual([before, before]));
    await pause(100);
    clock.advanceSeconds(HOUR_MS / 1000);
    // Agreed on before midnight: no request finds replicas apart.
    expect(three().previousTag).toBe(before.tag);
    expect(three()).toEqual(four());
    await eventually(() => expect([one(), two()]).toEqual([three(), three()]));
    expect(one().tag).not.toBe(before.tag);
  });

  test("they stay while the store is away, and are offered to it when it comes back empty", async () => {
    const { redis, clock } = await scene();
    const [one, two] = [replica(redis, clock), replica(redis, clock)];
    await eventually(() => expect(one()).toEqual(two()));
    const before = one();
    await redis.kill();
    expect(one()).toEqual(before);
    await redis.restart();
    const admin = adminOf(redis);
    await eventually(async () => expect((await admin.keys("*day-key*")).length).toBe(2));
    const late = replica(redis, clock);
    await eventually(() => expect(late()).toEqual(before));
    expect(one()).toEqual(before);
  });

  test("a replica that began without the store has keys of its own, and those of all once the store is there", async () => {
    const { redis, clock } = await scene();
    const one = replica(redis, clock);
    await eventually(async () => expect((await adminOf(redis).keys("*day-key*")).length).toBe(2));
    await redis.kill();
    const two = replica(redis, clock);
    expect(two()).not.toEqual(one());
    await redis.restart();
    await eventually(() => expect(two()).toEqual(one()));
  });

  test("what stands in the store ends within two days of its day, and does not make the tag by itself", async () => {
    const { redis, clock } = await scene();
    const one = replica(redis, clock);
    const admin = adminOf(redis);
    await eventually(async () => expect((await admin.keys("*day-key*")).length).toBe(2));
    const names = await admin.keys("*day-key*");
    const lives = await Promise.all(names.map((name) => admin.pttl(name)));
    for (const life of lives) expect(life).toBeGreaterThan(0);
    expect(Math.max(...lives)).toBeLessThanOrEqual(2 * DAY_MS);
    const stranger = replica(redis, clock, randomBytes(32));
    expect(stranger()).not.toEqual(one());
    for (const name of names) {
      const half = Buffer.from((await admin.get(name)) ?? "", "base64url");
      const originOf = createOrigins({ read: () => ({ day: "", current: half, previous: half }) });
      expect([one().tag, one().previousTag]).not.toContain(originOf("198.51.100.7").tag);
    }
  });
});

async function scene() {
  const redis = await openTestRedis();
  cleanups.push(redis.close);
  return { redis, clock: createManualClock(Date.parse("2026-11-20T00:00:00Z")) };
}

/** What one replica makes of one and the same address. */
function replica({ url }: TestRedis, clock: Clock, ownKey = key) {
  const store = openSharedStore({ url, clock, key: ownKey });
  const dayKeys = createSharedDayKeys(store, createDayKeys(clock));
  cleanups.push(store.close, dayKeys.close);
  const originOf = createOrigins(dayKeys);
  return () => originOf("198.51.100.7");
}

function adminOf({ url }: TestRedis): Redis {
  const admin = new Redis(url);
  admin.on("error", () => undefined);
  cleanups.push(() => admin.disconnect());
  return admin;
}
