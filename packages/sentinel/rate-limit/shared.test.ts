import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type Clock, createManualClock, systemClock } from "@securewave/foundation";
import { eventually } from "@securewave/testing";
import { openTestRedis, redisRequirements, type TestRedis } from "@securewave/testing/redis";
import { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import { openSharedStore, type SharedStore } from "../redis/index.ts";
import { createRateLimits, type Policy, type RateLimits } from "./index.ts";

const needs = redisRequirements();
const key = randomBytes(32);
const cleanups: (() => unknown)[] = [];
const policyOf = (limit: number): Policy => ({ name: "origin", limit, windowSeconds: 60 });

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.skipIf(!needs.ok)(needs.title("limits of two replicas over Redis"), () => {
  test.each([5, 100, 1000, 10_000])(
    "a limit of %i is overshot by a hundredth at most, whatever the two do at once",
    async (limit) => {
      const redis = await testRedis();
      const unanswered = { count: 0 };
      const replicas = [
        await replica(redis, systemClock, unanswered),
        await replica(redis, systemClock, unanswered),
      ];
      for (const [pattern, ask] of Object.entries(PATTERNS)) {
        const admittedOf = async (name: string) => {
          let admitted = 0;
          await ask(limit * 2, async (which) => {
            if ((await replicas[which]?.take(policyOf(limit), name))?.isAllowed) admitted++;
          });
          return admitted;
        };
        const admitted = await whileAnswered(unanswered, (round) => admittedOf(`${pattern} ${round}`));
        expect({ pattern, admitted }).toSatisfy(
          () => admitted >= limit && admitted <= Math.floor(limit * 1.01),
        );
      }
    },
  );

  test("most requests of a large budget do not ask the store", async () => {
    const redis = await testRedis();
    const limits = await replica(redis);
    let asked = 0;
    for (let at = 0; at < 5000; at++) {
      const verdict = limits.take(policyOf(10_000), "all");
      if (verdict instanceof Promise) asked++;
      await verdict;
      if (at % 20 === 0) await pause(1);
    }
    expect(asked).toBeLessThan(50);
    // The last fifth is asked each time.
    const nearlyUsed: Policy = { name: "nearly-used", limit: 1000, windowSeconds: 60 };
    for (let at = 0; at < 81; at++) await limits.take(nearlyUsed, "all", 10);
    for (let at = 0; at < 20; at++) {
      await pause(30);
      const verdict = limits.take(nearlyUsed, "all");
      expect(verdict).toBeInstanceOf(Promise);
      expect((await verdict).isAllowed).toBe(true);
    }
  });

  test("all limits of a request are asked in one round trip, all or none", async () => {
    const redis = await testRedis();
    const [one, two] = [await replica(redis), await replica(redis)];
    const user: Policy = { name: "user", limit: 3, windowSeconds: 60 };
    const before = await callsOf(redis);
    await one.takeAll([
      [policyOf(2), "a"],
      [user, "u"],
    ]);
    expect((await callsOf(redis)) - before).toBe(1);
    await one.takeAll([
      [policyOf(2), "a"],
      [user, "u"],
    ]);
    const refused = await two.takeAll([
      [policyOf(2), "a"],
      [user, "u"],
    ]);
    expect(refused.map(({ isAllowed }) => isAllowed)).toEqual([false, true]);
    expect(refused[1]?.remaining).toBe(1);
    const third = await (await replica(redis)).take(user, "u");
    expect(third).toMatchObject({ isAllowed: true, remaining: 0 });
    // The one that refused is known to be used up: nobody is asked again.
    expect(two.take(policyOf(2), "a")).not.toBeInstanceOf(Promise);
  });

  test("killed under load: served at once, limited by each replica, and shared again when it is back", async () => {
    const redis = await testRedis();
    const replicas = [await replica(redis), await replica(redis)];
    const policy = policyOf(100);
    const ask = async (which: number, times: number, name: string) => {
      let admitted = 0;
      for (let at = 0; at < times; at++)
        if ((await replicas[which]?.take(policy, name))?.isAllowed) admitted++;
      return admitted;
    };
    expect(await ask(0, 30, "a")).toBe(30);
    const [killed, ...underLoad] = await Promise.all([
      pause(20).then(() => redis.kill()),
      timed(() => ask(0, 500, "b")),
      timed(() => ask(1, 500, "b")),
    ]);
    expect(killed).toBeUndefined();
    for (const { slowestMs } of underLoad) expect(slowestMs).toBeLessThan(1000);
    expect(await ask(0, 500, "b")).toBe(0);
    const alone = (await ask(0, 500, "c")) + (await ask(1, 500, "c"));
    expect(alone).toBe(200);
    expect(await ask(0, 100, "a")).toBe(70);
    await redis.restart();
    // What each let through is told again: the other has nothing left for it.
    await eventually(async () => expect((await replicas[1]?.take(policy, "a", 0))?.remaining).toBeDefined());
    await eventually(async () => {
      await pause(100);
      expect(await ask(1, 1, "a")).toBe(0);
    });
    const together = (await ask(0, 150, "d")) + (await ask(1, 150, "d"));
    expect([100, 101]).toContain(together);
  });

  test("what a replica let through counts on after it has ended and Redis has lost it", async () => {
    const redis = await testRedis();
    const [one, two, three] = [await replica(redis), await replica(redis), await replica(redis)];
    for (let at = 0; at < 70; at++) await one.take(policyOf(100), "a");
    await three.take(policyOf(100), "a", 5);
    expect((await two.take(policyOf(100), "a", 5)).remaining).toBe(20);
    one.close();
    await redis.kill();
    await redis.restart();
    await pause(500);
    expect((await two.take(policyOf(100), "a", 5)).remaining).toBe(15);
  });

  test("replicas whose clocks are apart count together all the same", async () => {
    const redis = await testRedis();
    const startMs = Date.parse("2026-11-20T10:00:00Z");
    const ahead = await replica(redis, createManualClock(startMs + 20_000));
    const behind = await replica(redis, createManualClock(startMs));
    await ahead.take(policyOf(1000), "a", 700);
    await behind.take(policyOf(1000), "a", 50);
    expect(behind.look(policyOf(1000), "a").remaining).toBe(250);
    expect((await ahead.take(policyOf(1000), "a", 251)).isAllowed).toBe(false);
  });

  test("frozen: one time-out for those who asked at that moment, limited meanwhile, shared again afterwards", async () => {
    const redis = await testRedis();
    const [one, two] = [await replica(redis), await replica(redis)];
    const policy = policyOf(100);
    for (let at = 0; at < 90; at++) await one.take(policy, "a");
    redis.pause();
    const beganMs = performance.now();
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => one.take(policy, "a")));
    expect(performance.now() - beganMs).toBeLessThan(500);
    expect(verdicts.filter(({ isAllowed }) => isAllowed)).toHaveLength(10);
    for (let at = 0; at < 200; at++) {
      const startMs = performance.now();
      await one.take(policy, `new ${at}`);
      expect(performance.now() - startMs).toBeLessThan(30);
    }
    redis.resume();
    await eventually(async () => {
      await pause(100);
      expect((await two.take(policy, "a", 1)).isAllowed).toBe(false);
    });
    expect((await two.take(policy, "new 7")).remaining).toBeLessThan(100);
  });

  test("the budget comes back over the store as it does in memory", async () => {
    const redis = await testRedis();
    const clock = createManualClock(Date.parse("2026-11-20T10:00:00Z"));
    const [one, two] = [await replica(redis, clock), await replica(redis, clock)];
    const policy = policyOf(4);
    await one.take(policy, "a", 2);
    clock.advanceSeconds(30);
    await two.take(policy, "a", 2);
    expect(await one.take(policy, "a")).toMatchObject({ isAllowed: false, resetSeconds: 36 });
    clock.advanceSeconds(36);
    expect(await one.take(policy, "a", 2)).toMatchObject({ isAllowed: true, remaining: 0 });
    expect(await two.take(policy, "a")).toMatchObject({ isAllowed: false, resetSeconds: 30 });
    clock.advanceSeconds(30);
    expect(await two.take(policy, "a", 2)).toMatchObject({ isAllowed: true, remaining: 0 });
  });

  test("every key in Redis ends, and none tells whose it is", async () => {
    const redis = await testRedis();
    const limits = await replica(redis);
    for (let at = 0; at < 300; at++) await limits.take(policyOf(1000), `acc_${at}`);
    await pause(200);
    const admin = adminOf(redis);
    const names = await admin.keys("*");
    expect(names.length).toBeGreaterThan(250);
    for (const name of names) {
      expect(name).toMatch(/^securewave:/);
      expect(name).not.toContain("acc_");
      const lifeMs = await admin.pttl(name);
      if (lifeMs === -2) continue; // it ended meanwhile
      expect(lifeMs).toBeGreaterThan(0);
      expect(lifeMs).toBeLessThan(120_000);
      expect((await admin.dumpBuffer(name))?.includes("acc_")).toBe(false);
    }
  });
});

/** How the two replicas are asked: `ask(0)` or `ask(1)`, so many times. */
const PATTERNS: Record<string, (times: number, ask: (which: number) => Promise<void>) => Promise<void>> = {
  async "by turns"(times, ask) {
    for (let at = 0; at < times; at++) await ask(at % 2);
  },
  async "all at once"(times, ask) {
    await Promise.all(Array.from({ length: times }, (_, at) => ask(at % 2)));
  },
  async "one after the other"(times, ask) {
    for (let at = 0; at < times; at++) await ask(at < times / 2 ? 0 : 1);
  },
  async "in bursts, with pauses longer than the counts' way"(times, ask) {
    for (let at = 0; at < times; ) {
      const burst = Array.from({ length: Math.ceil(times / 40) }, () => ask(at++ % 3 === 0 ? 0 : 1));
      await Promise.all(burst);
      await pause(at % 4 === 0 ? 30 : 2);
    }
  },
};

async function testRedis(): Promise<TestRedis> {
  const redis = await openTestRedis();
  cleanups.push(redis.close);
  return redis;
}

/** @param unanswered counts the calls that the server did not answer in time */
async function replica(
  { url }: TestRedis,
  clock: Clock = systemClock,
  unanswered = { count: 0 },
): Promise<RateLimits> {
  const opened = openSharedStore({ url, clock, key });
  const store: SharedStore = {
    ...opened,
    run(...call) {
      const answer = opened.run(...call);
      answer.catch(() => unanswered.count++);
      return answer;
    },
  };
  const limits = createRateLimits({ clock, store });
  cleanups.push(store.close, limits.close);
  await eventually(() => expect(store.state()).toBe("up"));
  return limits;
}

/** Repeats what holds only as long as the server answers: on a crowded machine it may not for 50 ms. */
async function whileAnswered<T>(
  unanswered: { count: number },
  work: (round: number) => Promise<T>,
): Promise<T> {
  for (let round = 0; ; round++) {
    const before = unanswered.count;
    const result = await work(round);
    if (unanswered.count === before || round === 5) return result;
    await pause(500);
  }
}

function adminOf({ url }: TestRedis): Redis {
  const admin = new Redis(url);
  admin.on("error", () => undefined);
  cleanups.push(() => admin.disconnect());
  return admin;
}

/** How many scripts the server was asked to run. */
async function callsOf(redis: TestRedis): Promise<number> {
  const info = await adminOf(redis).info("commandstats");
  const calls = [...info.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].map(([, count]) => Number(count));
  return calls.reduce((sum, each) => sum + each, 0);
}

async function timed(work: () => Promise<number>): Promise<{ admitted: number; slowestMs: number }> {
  const startMs = performance.now();
  const admitted = await work();
  return { admitted, slowestMs: performance.now() - startMs };
}
