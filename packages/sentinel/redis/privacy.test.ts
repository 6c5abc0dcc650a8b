import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { DAY_MS, systemClock } from "@securewave/foundation";
import { eventually } from "@securewave/testing";
import { openTestRedis, redisRequirements } from "@securewave/testing/redis";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { createBlocklist } from "../blocklist/index.ts";
import { createFailures } from "../failures/index.ts";
import { createDayKeys, createOrigins } from "../origins/index.ts";
import { createRateLimits } from "../rate-limit/index.ts";
import { createSharedDayKeys, openSharedStore } from "./index.ts";

const needs = redisRequirements();
const SUBJECT = "acc_somebody@example.org";
const REPLICAS = 3;
/** What PTTL says of a key that is there no more. */
const ENDED = -2;

test.skipIf(!needs.ok)(
  needs.title("after all that a service does, every key in Redis ends, and nothing there names anybody"),
  async () => {
    await using redis = await openTestRedis();
    const key = randomBytes(32);
    const seen: string[] = [];
    const replicas = Array.from({ length: REPLICAS }, () => openReplica(redis.url, key));
    for (const { store } of replicas) await eventually(() => expect(store.state()).toBe("up"));
    const spy = new Redis(redis.url);
    spy.on("pmessage", (_pattern, channel: string, text: string) => seen.push(channel, text));
    await spy.psubscribe("*");
    const secrets = await useAll(replicas);
    await pause(200);

    const admin = new Redis(redis.url);
    const names = await admin.keys("*");
    const kinds = new Set(names.map((name) => name.split(":")[1]));
    for (const kind of ["rate", "blocks", "failures", "attack", "day-key"]) expect(kinds).toContain(kind);
    for (const name of names) {
      const lifeMs = await admin.pttl(name);
      if (lifeMs === ENDED) continue;
      expect(lifeMs, name).toBeGreaterThan(0);
      expect(lifeMs, name).toBeLessThanOrEqual(2 * DAY_MS);
      seen.push(name, await textOf(admin, name));
    }
    const all = seen.join("\n");
    for (const secret of secrets) expect(all).not.toContain(secret);
    for (const each of replicas) await each.close();
    spy.disconnect();
    admin.disconnect();
  },
);

function openReplica(url: string, key: Uint8Array) {
  const clock = systemClock;
  const store = openSharedStore({ url, clock, key });
  const dayKeys = createSharedDayKeys(store, createDayKeys(clock));
  const limits = createRateLimits({ clock, store });
  const blocklist = createBlocklist({ clock, store });
  const failures = createFailures({ clock, store, attackPerMinute: 20 });
  const close = async () => {
    for (const each of [dayKeys, limits, blocklist, failures]) each.close();
    await store.close();
  };
  return { store, originOf: createOrigins(dayKeys), limits, blocklist, failures, close };
}

/** @returns all that must not be found in the store */
async function useAll(replicas: readonly ReturnType<typeof openReplica>[]): Promise<string[]> {
  const secrets = [SUBJECT, "acc_staff", "somebody", "203.0.113", "2001:db8"];
  const policy = { name: "origin", limit: 100, windowSeconds: 60 };
  for (const [at, { originOf, limits, blocklist, failures }] of replicas.entries()) {
    for (let host = 1; host <= 60; host++) {
      const origin = originOf(host % 2 ? `203.0.113.${host}` : `2001:db8:${host}::1`);
      secrets.push(origin.address, origin.tag, origin.previousTag);
      await limits.take(policy, origin.tag);
      await limits.take({ ...policy, name: "user" }, SUBJECT);
      blocklist.violated(origin.tag);
      await failures.check(SUBJECT, origin.tag);
      await failures.failed(SUBJECT, origin.tag);
    }
    for (let times = 0; times < 60; times++) blocklist.violated(originOf("203.0.113.1").tag);
    blocklist.add({ kind: "network", value: `203.0.113.${at}/32`, seconds: 60, addedBy: "acc_staff" });
    const lifted = blocklist.add({ kind: "network", value: `2001:db8:${at}::/48`, seconds: 60 });
    blocklist.lift(lifted?.id ?? "");
    await failures.succeeded(SUBJECT, originOf("203.0.113.1").tag);
  }
  return secrets;
}

/** What stands under a name, as text; DUMP would compress it. */
async function textOf(admin: Redis, name: string): Promise<string> {
  const type = await admin.type(name);
  if (type === "none") return "";
  if (type === "string") return (await admin.get(name)) ?? "";
  if (type === "hash") return JSON.stringify(await admin.hgetall(name));
  if (type === "zset") return (await admin.zrange(name, 0, -1, "WITHSCORES")).join();
  throw new Error(`nothing is known of values of type ${type}`);
}
