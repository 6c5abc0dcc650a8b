import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "@securewave/foundation";
import { eventually } from "@securewave/testing";
import { openTestRedis, redisRequirements, type TestRedis } from "@securewave/testing/redis";
import { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import type { Origin } from "../origins/index.ts";
import { openSharedStore } from "../redis/index.ts";
import { type Blocklist, createBlocklist } from "./index.ts";

const needs = redisRequirements();
const key = randomBytes(32);
const cleanups: (() => unknown)[] = [];
const WITHIN_A_SECOND = { timeoutMs: 1000, everyMs: 10 };

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.skipIf(!needs.ok)(needs.title("a blocklist of replicas over Redis"), () => {
  test("a block and its lifting reach all replicas within a second, and one that starts later", async () => {
    const redis = await testRedis();
    const [one, two] = [await replica(redis), await replica(redis)];
    const block = one.add({ kind: "network", value: "203.0.113.0/24", seconds: 600, addedBy: "acc_staff" });
    await eventually(() => expect(two.find(origin("x", "203.0.113.9"))).toEqual(block), WITHIN_A_SECOND);
    const three = await replica(redis);
    await eventually(() => expect(three.list()).toEqual([block]), WITHIN_A_SECOND);
    expect(two.lift(block?.id ?? "")).toEqual(block);
    await eventually(() => expect([one.count(), three.count()]).toEqual([0, 0]), WITHIN_A_SECOND);
    const four = await replica(redis);
    await pause(200);
    expect(four.count()).toBe(0);
  });

  test("a block that the store was slow to take reaches all replicas within a second, too", async () => {
    const redis = await testRedis();
    const [one, two] = [await replica(redis), await replica(redis)];
    redis.pause();
    const block = one.add({ kind: "network", value: "203.0.113.0/24", seconds: 600, addedBy: "acc_staff" });
    await pause(80); // longer than an answer is waited for, and not so long that the store counts as away
    redis.resume();
    await eventually(() => expect(two.find(origin("x", "203.0.113.9"))).toEqual(block), WITHIN_A_SECOND);
  });

  test("what an origin does at several replicas is counted together, and blocks it at all of them", async () => {
    const redis = await testRedis();
    const blocked: string[] = [];
    const [one, two] = [await replica(redis, blocked), await replica(redis, blocked)];
    for (let at = 0; at < 10; at++) (at % 2 ? one : two).logInFailed("tag");
    await pause(200);
    expect([one.count(), two.count()]).toEqual([0, 0]);
    one.logInFailed("tag");
    await eventually(() => {
      for (const each of [one, two]) expect(each.find(origin("tag"))?.reason).toBe("failed_log_ins");
    }, WITHIN_A_SECOND);
    expect(blocked).toEqual(["tag"]);
  });

  test("blocks stay while Redis is away, also new ones, and stand in it again when it comes back empty", async () => {
    const redis = await testRedis();
    const [one, two] = [await replica(redis), await replica(redis)];
    const before = one.add({ kind: "tag", value: "before", seconds: 600 });
    await eventually(() => expect(two.count()).toBe(1));
    await redis.kill();
    const during = two.add({ kind: "tag", value: "during", seconds: 600 });
    for (let at = 0; at < 11; at++) one.logInFailed("alone");
    expect(one.find(origin("before"))).toEqual(before);
    // That the store is gone may be known only when it does not answer.
    await eventually(() => expect(one.find(origin("alone"))).toBeDefined());
    await redis.restart();
    await eventually(() => {
      expect(one.find(origin("during"))).toEqual(during);
      expect(two.find(origin("alone"))).toBeDefined();
    });
    const late = await replica(redis);
    await eventually(() => expect(late.count()).toBe(3));
  });

  test("what was lifted while others could not hear it does not come back", async () => {
    const redis = await testRedis();
    const [one, two] = [await replica(redis), await replica(redis)];
    const first = one.add({ kind: "tag", value: "first", seconds: 600 });
    const second = one.add({ kind: "tag", value: "second", seconds: 600 });
    await eventually(() => expect(two.count()).toBe(2));
    redis.pause();
    one.lift(first?.id ?? "");
    await pause(300);
    await redis.kill();
    one.lift(second?.id ?? "");
    expect(two.count()).toBe(2);
    await redis.restart();
    await eventually(() => expect([one.count(), two.count()]).toEqual([0, 0]));
    await pause(300);
    expect([one.count(), two.count()]).toEqual([0, 0]);
  });

  test("many blocks are read in pages", async () => {
    const redis = await testRedis();
    const one = await replica(redis);
    for (let at = 0; at < 700; at++) one.add({ kind: "tag", value: `tag-${at}`, seconds: 600 });
    await pause(300);
    const two = await replica(redis);
    await eventually(() => expect(two.count()).toBe(700));
  });

  test("Redis holds no address and nothing without an end", async () => {
    const redis = await testRedis();
    const spy = adminOf(redis);
    const said: string[] = [];
    spy.on("pmessage", (_pattern: string, channel: string, text: string) => said.push(channel, text));
    await spy.psubscribe("*");
    const one = await replica(redis);
    one.add({ kind: "network", value: "203.0.113.77/32", seconds: 600, addedBy: "acc_staff" });
    const lifted = one.add({ kind: "network", value: "2001:db8:77::/48", seconds: 600 });
    for (let at = 0; at < 11; at++) one.logInFailed("tag-of-somebody");
    await eventually(() => expect(one.count()).toBe(3));
    one.lift(lifted?.id ?? "");
    await pause(200);
    const admin = adminOf(redis);
    const names = await admin.keys("*");
    expect(names.length).toBeGreaterThan(2);
    const texts = [...said, ...names];
    for (const name of names) {
      expect(await admin.pttl(name)).toBeGreaterThan(0);
      texts.push((await admin.dumpBuffer(name))?.toString("latin1") ?? "");
    }
    for (const secret of ["203.0.113", "2001:db8", "acc_staff", "tag-of-somebody", "\xcb\x00\x71\x4d"]) {
      for (const text of texts) expect(text).not.toContain(secret);
    }
  });
});

async function testRedis(): Promise<TestRedis> {
  const redis = await openTestRedis();
  cleanups.push(redis.close);
  return redis;
}

async function replica({ url }: TestRedis, blocked: string[] = []): Promise<Blocklist> {
  const store = openSharedStore({ url, clock: systemClock, key });
  const onBlocked = ({ value }: { value: string }) => void blocked.push(value);
  const blocklist = createBlocklist({ clock: systemClock, store, onBlocked });
  cleanups.push(store.close, blocklist.close);
  await eventually(() => expect(store.state()).toBe("up"));
  return blocklist;
}

function adminOf({ url }: TestRedis): Redis {
  const admin = new Redis(url);
  admin.on("error", () => undefined);
  cleanups.push(() => admin.disconnect());
  return admin;
}

function origin(tag: string, address = "198.51.100.1"): Origin {
  return { address, tag, previousTag: `before ${tag}` };
}
