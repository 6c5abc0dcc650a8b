import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type Clock, createManualClock } from "@securewave/foundation";
import { eventually } from "@securewave/testing";
import { openTestRedis, redisRequirements, type TestRedis } from "@securewave/testing/redis";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import { openSharedStore, type SharedStore } from "../redis/index.ts";
import { createFailures, type Failures, type FailuresOptions } from "./index.ts";

/** What Redis answers for a key that is no more: https://redis.io/docs/latest/commands/pttl/ */
const ENDED = -2;
const START_MS = Date.parse("2026-11-20T10:00:00Z");
const needs = redisRequirements();
const key = randomBytes(32);
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe("failed log-ins in memory", () => {
  test("five failures are free, then each try waits twice as long, up to a quarter of an hour", async () => {
    const { failures, clock } = here();
    const waits: number[] = [];
    for (let at = 0; at < 17; at++) {
      expect(await failures.check("mail", `tag ${at}`)).toEqual({ lockedSeconds: 0 });
      await failures.failed("mail", `tag ${at}`);
      const { lockedSeconds } = await failures.check("mail", `tag ${at + 1}`);
      waits.push(lockedSeconds);
      clock.advanceSeconds(lockedSeconds > 0 ? lockedSeconds : 11);
    }
    expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
  });

  test("an origin that tries one account after the other waits too", async () => {
    const { failures } = here();
    for (let at = 0; at < 5; at++) await failures.failed(`mail ${at}`, "tag");
    expect(await failures.check("another mail", "tag")).toEqual({ lockedSeconds: 1 });
    expect(await failures.check("another mail", "another tag")).toEqual({ lockedSeconds: 0 });
  });

  test("a success forgets, and so does an hour of quiet", async () => {
    const { failures, clock } = here();
    for (let at = 0; at < 8; at++) await failures.failed("mail", "tag");
    expect((await failures.check("mail", "tag")).lockedSeconds).toBe(8);
    clock.advanceSeconds(8);
    expect((await failures.check("mail", "tag")).lockedSeconds).toBe(0);
    await failures.succeeded("mail", "tag");
    for (let at = 0; at < 4; at++) await failures.failed("mail", "tag");
    expect((await failures.check("mail", "tag")).lockedSeconds).toBe(0);
    await failures.failed("mail", "tag");
    expect((await failures.check("mail", "tag")).lockedSeconds).toBe(1);
    clock.advanceSeconds(3600);
    for (let at = 0; at < 4; at++) await failures.failed("mail", "tag");
    expect((await failures.check("mail", "tag")).lockedSeconds).toBe(0);
  });

  test("guessing in parallel gains no more than the tries that may be under way, and one at a time once delays began", async () => {
    const { failures, clock } = here({ parallelMax: 20 });
    const states = await Promise.all(
      Array.from({ length: 1000 }, (_, at) => failures.check("mail", `tag ${at}`)),
    );
    expect(states.filter(({ lockedSeconds }) => lockedSeconds === 0)).toHaveLength(20);
    for (let at = 0; at < 20; at++) await failures.failed("mail", `tag ${at}`);
    expect((await failures.check("mail", "new")).lockedSeconds).toBe(900);
    clock.advanceSeconds(900);
    const later = await Promise.all(Array.from({ length: 1000 }, () => failures.check("mail", "new")));
    expect(later.filter(({ lockedSeconds }) => lockedSeconds === 0)).toHaveLength(1);
    clock.advanceSeconds(10); // of the one nothing was heard
    expect((await failures.check("mail", "new")).lockedSeconds).toBe(0);
  });

  test("many failures from anywhere in a minute are an attack, for the five minutes after", async () => {
    const { failures, clock } = here({ attackPerMinute: 30 });
    for (let at = 0; at < 30; at++) await failures.failed(`mail ${at}`, `tag ${at}`);
    expect(failures.isUnderAttack()).toBe(false);
    await failures.failed("mail", "tag");
    expect(failures.isUnderAttack()).toBe(true);
    clock.advanceSeconds(299);
    expect(failures.isUnderAttack()).toBe(true);
    clock.advanceSeconds(1);
    expect(failures.isUnderAttack()).toBe(false);
  });
});

describe.skipIf(!needs.ok)(needs.title("failed log-ins of replicas over Redis"), () => {
  test("two replicas together say what one alone would, whatever is tried", async () => {
    const redis = await testRedis();
    let run = 0;
    const act = fc.record({
      kind: fc.constantFrom("check", "check", "check", "failed", "failed", "failed", "succeeded"),
      which: fc.nat({ max: 1 }),
      subject: fc.constantFrom("a", "b"),
      tag: fc.constantFrom("x", "y"),
      waitSeconds: fc.constantFrom(0, 0, 0, 1, 4, 20, 1000, 3600),
    });
    const clock = createManualClock(START_MS);
    // On a busy machine a replica may give the store up for a while, and go on alone.
    const patient = { clock, patienceMs: 10_000 };
    const shared = [await replica(redis, patient), await replica(redis, patient)];
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 7 }), fc.array(act, { maxLength: 40 }), async (before, acts) => {
        const alone = createFailures({ clock });
        run++;
        for (let at = 0; at < before; at++) {
          const names = [`a ${run}`, `x ${run}`] as const;
          await Promise.all([shared[at % 2]?.failures.failed(...names), alone.failed(...names)]);
        }
        for (const { kind, which, subject, tag, waitSeconds } of acts) {
          clock.advanceSeconds(waitSeconds);
          const names = [`${subject} ${run}`, `${tag} ${run}`] as const;
          const failures = shared[which]?.failures;
          if (kind === "check") expect(await failures?.check(...names)).toEqual(await alone.check(...names));
          else if (kind === "failed") await Promise.all([failures?.failed(...names), alone.failed(...names)]);
          else await Promise.all([failures?.succeeded(...names), alone.succeeded(...names)]);
        }
        alone.close();
      }),
      { numRuns: 60 },
    );
  });

  test("Redis away: still counted and locked, and known to all when it is back", async () => {
    const redis = await testRedis();
    const clock = createManualClock(START_MS);
    const [one, two] = [await replica(redis, { clock }), await replica(redis, { clock })];
    for (let at = 0; at < 3; at++) await one.failures.failed("mail", "tag");
    for (let at = 0; at < 6; at++) await one.failures.failed("let in", "elsewhere");
    await redis.kill();
    const startMs = performance.now();
    for (let at = 0; at < 3; at++) await one.failures.failed("mail", "tag");
    expect((await one.failures.check("mail", "other")).lockedSeconds).toBe(2);
    clock.advanceSeconds(1);
    await one.failures.succeeded("let in", "elsewhere");
    expect(performance.now() - startMs).toBeLessThan(200);
    await redis.restart();
    await up(one, two);
    expect((await one.failures.check("mail", "other")).lockedSeconds).toBe(1);
    expect((await two.failures.check("mail", "other")).lockedSeconds).toBe(1);
    expect((await one.failures.check("let in", "elsewhere")).lockedSeconds).toBe(0);
  });

  test("frozen: answered after one time-out, and what was counted meanwhile counts", async () => {
    const redis = await testRedis();
    const clock = createManualClock(START_MS);
    const [one, two] = [await replica(redis, { clock }), await replica(redis, { clock })];
    for (let at = 0; at < 3; at++) await one.failures.failed("mail", "tag");
    for (let at = 0; at < 6; at++) await one.failures.failed("let in", "elsewhere");
    redis.pause();
    const startMs = performance.now();
    for (let at = 0; at < 20; at++) await one.failures.failed("mail", `tag ${at}`);
    expect(performance.now() - startMs).toBeLessThan(300);
    expect((await one.failures.check("mail", "other")).lockedSeconds).toBe(900);
    clock.advanceSeconds(1);
    await one.failures.succeeded("let in", "elsewhere");
    redis.resume();
    await up(one, two);
    expect((await one.failures.check("mail", "other")).lockedSeconds).toBe(899);
    expect((await two.failures.check("mail", "other")).lockedSeconds).toBe(899);
    expect((await one.failures.check("let in", "elsewhere")).lockedSeconds).toBe(0);
    clock.advanceSeconds(899);
    await two.failures.failed("mail", "other");
    expect((await two.failures.check("mail", "other")).lockedSeconds).toBe(900);
  });

  test("an attack on all replicas together is known to each, also to one that comes later", async () => {
    const redis = await testRedis();
    const clock = createManualClock(START_MS);
    const options = { clock, attackPerMinute: 20 };
    const [one, two, idle] = [
      await replica(redis, options),
      await replica(redis, options),
      await replica(redis, options),
    ];
    for (let at = 0; at < 21; at++) {
      await (at % 2 ? one : two).failures.failed(`mail ${at}`, `tag ${at}`);
    }
    await eventually(() => {
      for (const { failures } of [one, two, idle]) expect(failures.isUnderAttack()).toBe(true);
    });
    const late = await replica(redis, options);
    await eventually(() => expect(late.failures.isUnderAttack()).toBe(true));
    clock.advanceSeconds(300);
    expect(late.failures.isUnderAttack()).toBe(false);
  });

  test("every key in Redis ends within the hour and names nobody", async () => {
    const redis = await testRedis();
    const one = await replica(redis, { clock: createManualClock(START_MS), attackPerMinute: 5 });
    for (let at = 0; at < 30; at++) await one.failures.failed(`subject-${at}`, "some-tag");
    await one.failures.succeeded("subject-1", "some-tag");
    await pause(100);
    const admin = adminOf(redis);
    const names = await admin.keys("*");
    expect(names.length).toBeGreaterThan(30);
    for (const name of names) {
      expect(name).not.toMatch(/subject-|some-tag/);
      const leftMs = await admin.pttl(name);
      if (leftMs === ENDED) continue;
      expect(leftMs).toBeGreaterThan(0);
      expect(leftMs).toBeLessThanOrEqual(3_600_000);
      expect((await admin.dumpBuffer(name))?.toString("latin1")).not.toMatch(/subject-|some-tag/);
    }
  });
});

function here(options: Partial<FailuresOptions> = {}) {
  const clock = createManualClock(START_MS);
  const failures = createFailures({ clock, ...options });
  cleanups.push(failures.close);
  return { failures, clock };
}

async function testRedis(): Promise<TestRedis> {
  const redis = await openTestRedis();
  cleanups.push(redis.close);
  return redis;
}

async function replica(
  { url }: TestRedis,
  { patienceMs, ...options }: { clock: Clock; attackPerMinute?: number; patienceMs?: number },
): Promise<{ failures: Failures; store: SharedStore }> {
  const patience = patienceMs === undefined ? {} : { patienceMs };
  const store = openSharedStore({ url, clock: options.clock, key, ...patience });
  const failures = createFailures({ store, ...options });
  cleanups.push(store.close, failures.close);
  await up({ store });
  return { failures, store };
}

async function up(...replicas: { store: SharedStore }[]): Promise<void> {
  await eventually(() => {
    for (const { store } of replicas) expect(store.state()).toBe("up");
  });
}

function adminOf({ url }: TestRedis): Redis {
  const admin = new Redis(url);
  admin.on("error", () => undefined);
  cleanups.push(() => admin.disconnect());
  return admin;
}
