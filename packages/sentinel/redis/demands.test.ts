import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { systemClock } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import {
  openTestRedis,
  redisRequirements,
  type TestRedis,
  type TestRedisOptions,
} from "@securewave/testing/redis";
import { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import { judge, type PersistencePolicy, refusalOf, refusedOf } from "./demands.ts";
import { type Examination, examineOnce, openSharedStore, type SharedStore } from "./index.ts";

const needs = redisRequirements();
const key = randomBytes(32);
const cleanups: (() => unknown)[] = [];
/** With which nothing at all is found in a Redis of its own user. */
const SPOTLESS = {
  "slowlog-log-slower-than": "-1",
  "crash-log-enabled": "no",
};
const LEAST_RIGHTS =
  "on >word resetkeys resetchannels ~securewave:* &securewave:* -@all +@read +@write +@connection +@pubsub +@scripting +config|get +info +acl|whoami +acl|dryrun";
const REFUSED = ["refused", "declared-off"] as const;

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.skipIf(!needs.ok)(needs.title("what is demanded of a Redis"), () => {
  test("one that keeps nothing, asked by a user with the rights of the README, has no finding and is used", async () => {
    const redis = await testRedis({ settings: SPOTLESS });
    const url = await userOf(redis, LEAST_RIGHTS);
    const { store } = await open(url);
    expect(store.examination()).toEqual({ findings: [], refused: [] });
    expect(store.state()).toBe("up");
    const lua = "redis.call('SET', KEYS[1], ARGV[1], 'PX', 1000) return redis.call('GET', KEYS[1])";
    expect(await store.run({ name: "keep", lua }, [store.nameOf("test", "x")], ["kept"])).toBe("kept");
    const heard = new Promise<string>((resolve) => {
      store.subscribe("news", { heard: resolve, listening: () => store.publish("news", "hello") });
    });
    expect(await heard).toBe("hello");
  });

  test.each([
    ["save", "3600 1 300 100"],
    ["appendonly", "yes"],
    ["shutdown-on-sigterm", "save"],
    ["shutdown-on-sigint", "save force"],
  ])(
    "one with %s %s is left alone, nothing is written into it, and it is told how to mend it",
    async (name, value) => {
      const redis = await testRedis({ settings: { [name]: value } });
      for (const policy of REFUSED) {
        const { store, states } = await open(redis.url, policy);
        expect(store.state()).toBe("down");
        expect(states).toEqual([]);
        await expect(store.run({ name: "x", lua: "return 1" }, [], [])).rejects.toThrow("away");
      }
      expect(await adminOf(redis.url).dbsize()).toBe(0);
      const refused = refusedOf((await examineOnce(redis.url)) ?? [], "refused");
      expect(refused.map(({ about }) => about)).toEqual([name]);
      const { code, message } = refusalOf(refused);
      expect(code).toBe("redis.persists");
      const [command = ""] = /CONFIG SET \S+ \S+/.exec(message) ?? [];
      const [, , setting = "", wanted = ""] = command.split(" ");
      await adminOf(redis.url).config("SET", setting, wanted.replaceAll('"', ""));
      const { store } = await open(redis.url);
      expect(store.state()).toBe("up");
    },
  );

  test("one that persists is used where that is allowed, and it is still said", async () => {
    const redis = await testRedis({ settings: { save: "3600 1" } });
    const { store } = await open(redis.url, "allowed");
    expect(store.state()).toBe("up");
    expect(store.examination()?.findings[0]).toMatchObject({ about: "save", weight: "persists" });
    expect(store.examination()?.refused).toEqual([]);
  });

  test("a setting changed while it runs is noticed at the next look, and so is its mending", async () => {
    const redis = await testRedis();
    const { store, states } = await open(redis.url);
    const admin = adminOf(redis.url);
    await admin.config("SET", "appendonly", "yes");
    await store.examine();
    expect(store.state()).toBe("down");
    expect(store.examination()?.refused.map(({ about }) => about)).toEqual(["appendonly"]);
    await admin.config("SET", "appendonly", "no");
    await store.examine();
    expect(states).toEqual(["up", "down", "up"]);
  });

  test("a server that comes back with other settings is looked at before anything is written into it", async () => {
    const redis = await testRedis();
    const { store, examinations } = await open(redis.url);
    await redis.kill();
    const other = await openTestRedis({ port: redis.port, settings: { save: "1 1" } });
    cleanups.push(other.close);
    await eventually(() => expect(examinations.at(-1)?.refused).toHaveLength(1));
    expect(store.state()).toBe("down");
    expect(await adminOf(other.url).dbsize()).toBe(0);
  });

  test("one that does not tell is refused, believed when its operator says so, and not when it shows the contrary", async () => {
    const mute = LEAST_RIGHTS.replace("+config|get ", "");
    const redis = await testRedis();
    const url = await userOf(redis, mute);
    const { store } = await open(url);
    expect(store.state()).toBe("down");
    const refused = store.examination()?.refused ?? [];
    expect(refusalOf(refused)).toMatchObject({ code: "redis.untold", internal: "CONFIG" });
    expect((await open(url, "declared-off")).store.state()).toBe("up");

    const admin = adminOf(redis.url);
    await admin.bgsave();
    await eventually(async () =>
      expect(await admin.info("persistence")).toContain("rdb_bgsave_in_progress:0"),
    );
    expect((await open(url, "declared-off")).store.examination()?.refused).toMatchObject([
      { about: "rdb_saves", weight: "persists" },
    ]);
    const writer = await testRedis({ settings: { appendonly: "yes" } });
    const { store: declared } = await open(await userOf(writer, mute), "declared-off");
    expect(declared.examination()?.refused).toMatchObject([{ about: "aof_enabled" }]);
  });

  test("rights that the service does not need are named", async () => {
    const redis = await testRedis({ settings: SPOTLESS });
    const [finding, ...others] = (await examineOnce(redis.url)) ?? [];
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ about: "ACL", weight: "minor" });
    expect(finding?.mend?.command).toBe("ACL SETUSER <user> -monitor -debug -save -bgsave -bgrewriteaof");
  });

  test("a replica that writes to its disk is found from its master, by the same log-in", async () => {
    const master = await testRedis({ password: "word" });
    const replicaOf = (settings: Record<string, string>) =>
      testRedis({
        password: "word",
        settings: { replicaof: `127.0.0.1 ${master.port}`, masterauth: "word", ...settings },
      });
    const good = await replicaOf({ "repl-diskless-load": "swapdb" });
    await attached(master, 1);
    const refusedNow = async () => refusedOf((await examineOnce(master.url)) ?? [], "refused");
    // The master itself would be a replica after a failover.
    expect(await refusedNow()).toMatchObject([{ of: "server", about: "repl-diskless-load" }]);
    await adminOf(master.url).config("SET", "repl-diskless-load", "swapdb");
    expect(await refusedNow()).toEqual([]);
    expect(refusedOf((await examineOnce(good.url)) ?? [], "refused")).toEqual([]);

    await replicaOf({ "repl-diskless-load": "disabled", appendonly: "yes" });
    await attached(master, 2);
    expect(await refusedNow()).toMatchObject([
      { of: "replica", about: "appendonly" },
      { of: "replica", about: "repl-diskless-load" },
    ]);
    await adminOf(master.url).config("SET", "repl-diskless-sync", "no");
    expect((await refusedNow()).map(({ about }) => about)).toContain("repl-diskless-sync");
  });

  test("a replica that cannot be examined is said, and no reason to refuse", async () => {
    const master = await testRedis({ settings: { "repl-diskless-load": "swapdb" } });
    await testRedis({ password: "other", settings: { replicaof: `127.0.0.1 ${master.port}` } });
    await attached(master, 1);
    const found = (await examineOnce(master.url)) ?? [];
    expect(found).toContainEqual(
      expect.objectContaining({ of: "replica", about: "connection", weight: "minor" }),
    );
    expect(refusedOf(found, "refused")).toEqual([]);
  });

  test("what is demanded leaves no file: stopped, killed, and as a replica that holds keys when it is sent others", async () => {
    const filesOf = (server: TestRedis) => readdirSync(server.dir);
    const demanded = { "repl-diskless-load": "swapdb" };
    const files = async (load: string) => {
      const master = await testRedis({ settings: demanded });
      const replica = await testRedis({
        settings: { ...demanded, "repl-diskless-load": load, replicaof: `127.0.0.1 ${master.port}` },
      });
      await attached(master, 1);
      await adminOf(master.url).set("canary", "x");
      const reader = adminOf(replica.url);
      await eventually(async () => expect(await reader.get("canary")).toBe("x"));
      await master.kill();
      await master.restart();
      await attached(master, 1);
      await eventually(async () => expect(await reader.dbsize()).toBe(0));
      for (const server of [master, replica]) await server.stop();
      return [...filesOf(master), ...filesOf(replica)];
    };
    expect(await files("swapdb")).toEqual([]);
    // The control: it is looked where the file would be, and why `on-empty-db` is not enough.
    expect(await files("on-empty-db")).toEqual(["dump.rdb"]);
  });

  test("a Redis that cannot be reached is not judged", async () => {
    expect(await examineOnce("redis://127.0.0.1:1", { waitMs: 300 })).toBeUndefined();
  });
});

test("a server without a setting is not asked for it, and one that tells nothing at all is not trusted", () => {
  const settings = new Map([
    ["save", ""],
    ["appendonly", "no"],
  ]);
  expect(judge({ settings, info: new Map(), allowedCommands: undefined })).toEqual([]);
  const silent = judge({ settings: new Map(), info: new Map(), allowedCommands: undefined });
  expect(refusedOf(silent, "refused")).toHaveLength(1);
});

async function testRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const settings = { "repl-diskless-sync-delay": "0", ...options.settings };
  const redis = await openTestRedis({ ...options, settings });
  cleanups.push(redis.close);
  return redis;
}

/** Opens it and waits until it was looked at. */
async function open(url: string, persistence: PersistencePolicy = "refused") {
  const states: string[] = [];
  const examinations: Examination[] = [];
  const store: SharedStore = openSharedStore({
    url,
    clock: systemClock,
    key,
    persistence,
    onStateChange: (state) => states.push(state),
    onExamined: (examination) => examinations.push(examination),
  });
  cleanups.push(store.close);
  await store.settled(5000);
  expect(examinations).toHaveLength(1);
  return { store, states, examinations };
}

/** @returns the URL by which a user with these rights comes in */
async function userOf(redis: TestRedis, rights: string): Promise<string> {
  await adminOf(redis.url).call("ACL", "SETUSER", "someone", "reset", ...rights.split(" "));
  return redis.url.replace("//", "//someone:word@");
}

async function attached(master: TestRedis, count: number): Promise<void> {
  const admin = adminOf(master.url);
  await eventually(
    async () => {
      const online = (await admin.info("replication")).match(/state=online/g) ?? [];
      expect(online).toHaveLength(count);
    },
    { timeoutMs: 20_000 },
  );
}

function adminOf(url: string): Redis {
  const admin = new Redis(url);
  admin.on("error", () => undefined);
  cleanups.push(() => admin.disconnect());
  return admin;
}
