import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "@securewave/foundation";
import { eventually, requirements, temporaryDir } from "@securewave/testing";
import { openTestRedis, redisRequirements } from "@securewave/testing/redis";
import { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import { openSharedStore, type Script, type SharedStore, type SharedStoreOptions } from "./index.ts";

const ECHO: Script = { name: "echo", lua: "return ARGV[1]" };
const needs = redisRequirements();
const tlsNeeds = requirements({ tools: ["redis-server", "openssl"] });
const key = randomBytes(32);
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.skipIf(!needs.ok)(needs.title("a shared store"), () => {
  test("is up once reached, runs scripts, and says down at once when the server is killed and up when it is back", async () => {
    const redis = await testRedis();
    const states: string[] = [];
    const store = open(redis.url, { onStateChange: (state) => states.push(state) });
    expect(await store.settled()).toBe("up");
    expect(await store.run(ECHO, [], ["hello"])).toBe("hello");
    await redis.kill();
    await eventually(() => expect(store.state()).toBe("down"));
    await expect(timed(() => store.run(ECHO, [], ["x"]))).rejects.toThrow("away");
    await redis.restart();
    await eventually(() => expect(store.state()).toBe("up"));
    expect(await store.run(ECHO, [], ["again"])).toBe("again");
    expect(states).toEqual(["up", "down", "up"]);
  });

  test("a frozen server costs one time-out, and is asked again soon after it goes on", async () => {
    const redis = await testRedis();
    const store = open(redis.url);
    await store.settled();
    redis.pause();
    const startMs = performance.now();
    await expect(store.run(ECHO, [], ["x"])).rejects.toThrow("did not answer");
    const firstMs = performance.now() - startMs;
    expect(firstMs).toBeGreaterThan(45);
    expect(firstMs).toBeLessThan(500);
    let slowestMs = 0;
    for (let at = 0; at < 40; at++) {
      const beganMs = performance.now();
      await store.run(ECHO, [], ["x"]).catch(() => undefined);
      slowestMs = Math.max(slowestMs, performance.now() - beganMs);
      await pause(25);
    }
    expect(slowestMs).toBeLessThan(20);
    redis.resume();
    await eventually(() => expect(store.state()).toBe("up"));
  });

  test("a server frozen for long, and its connections given up, is found again", async () => {
    const redis = await testRedis();
    const store = open(redis.url);
    await store.settled();
    redis.pause();
    await store.run(ECHO, [], ["x"]).catch(() => undefined);
    await pause(6000);
    redis.resume();
    await eventually(() => expect(store.state()).toBe("up"));
    let heard = "";
    store.subscribe("news", { heard: (text) => (heard = text) });
    await eventually(() => {
      store.publish("news", "hello");
      expect(heard).toBe("hello");
    });
  });

  test("one that was never there is down without delay, and so is one that refuses the password", async () => {
    const nobody = open("redis://127.0.0.1:1");
    expect(await nobody.settled(100)).toBe("down");
    const redis = await testRedis({ password: "right / word" });
    const wrong = open(redis.url.replace(/:[^:@]+@/, ":wrong@"));
    expect(await wrong.settled(300)).toBe("down");
    expect(await open(redis.url).settled()).toBe("up");
    const named = open(redis.url.replace("//:", "//default:"));
    expect(await named.settled()).toBe("up");
  });

  test("a full server counts as down", async () => {
    const redis = await testRedis();
    const store = open(redis.url);
    await store.settled();
    const admin = adminOf(redis.url);
    await admin.config("SET", "maxmemory", "1");
    await store
      .run(
        { name: "write", lua: "redis.call('SET', KEYS[1], 'x', 'PX', 1000)" },
        [store.nameOf("test", "x")],
        [],
      )
      .catch(() => undefined);
    await eventually(() => expect(store.state()).toBe("down"));
    await admin.config("SET", "maxmemory", "0");
    await eventually(() => expect(store.state()).toBe("up"));
  });

  test("what one replica publishes all hear, also after the server was lost, and nobody else can read or forge it", async () => {
    const redis = await testRedis();
    const one = open(redis.url);
    const two = open(redis.url);
    const stranger = open(redis.url, { key: randomBytes(32) });
    const heard: string[] = [];
    let began = 0;
    const subscriber = { heard: (text: string) => heard.push(text), listening: () => began++ };
    two.subscribe("news", subscriber);
    await eventually(() => expect(began).toBe(1));
    await one.settled();
    await stranger.settled();
    const spied = await spyOn(redis.url);
    stranger.publish("news", "forged");
    one.publish("news", "one");
    await eventually(() => expect(heard).toEqual(["one"]));
    expect(spied.join()).not.toContain("one");
    expect(spied.join()).not.toContain("forged");
    await redis.kill();
    await redis.restart();
    await eventually(() => expect(began).toBe(2));
    await eventually(() => expect(one.state()).toBe("up"));
    one.publish("news", "two");
    await eventually(() => expect(heard).toEqual(["one", "two"]));
  });

  test("connections that are dead without having been closed are made again", async () => {
    const redis = await testRedis();
    const proxy = await proxyTo(redis.port);
    const store = open(proxy.url);
    let began = 0;
    store.subscribe("news", { heard: () => undefined, listening: () => began++ });
    await eventually(() => expect(began).toBe(1));
    await adminOf(redis.url).call("CLIENT", "KILL", "TYPE", "pubsub");
    await eventually(() => expect(began).toBe(2));
    proxy.swallow(/subscribe/i);
    await eventually(() => expect(began).toBe(3), { timeoutMs: 10_000 });
    proxy.swallow(/evalsha|PX/i);
    await eventually(() => expect(store.state()).toBe("down"), { timeoutMs: 10_000 });
    await eventually(() => expect(store.state()).toBe("up"), { timeoutMs: 10_000 });
  });

  test("texts come back only under the same key and unchanged; names tell nothing", () => {
    const store = open("redis://127.0.0.1:1");
    const sealed = store.seal("198.51.100.7/32");
    expect(store.open(sealed)).toBe("198.51.100.7/32");
    expect(store.seal("198.51.100.7/32")).not.toBe(sealed);
    expect(open("redis://127.0.0.1:1", { key: randomBytes(32) }).open(sealed)).toBeUndefined();
    const bytes = Buffer.from(sealed, "base64url");
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    expect(store.open(bytes.toString("base64url"))).toBeUndefined();
    expect(store.open("")).toBeUndefined();
    expect(store.nameOf("rate", "acc_1")).toMatch(/^securewave:rate:[\w-]{22}$/);
    expect(store.nameOf("rate", "acc_1")).not.toBe(store.nameOf("rate", "acc_2"));
  });
});

describe.skipIf(!tlsNeeds.ok)(tlsNeeds.title("a shared store over TLS"), () => {
  test("is reached by rediss:// with user name and password, and not when its certificate is not trusted", async () => {
    const dir = temporaryDir("redis-tls");
    cleanups.push(async () => dir.remove());
    const [certificatePath, keyPath] = [join(dir.path, "cert.pem"), join(dir.path, "key.pem")];
    const made = spawnSync("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      ...[
        "-subj",
        "/CN=test",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        keyPath,
        "-out",
        certificatePath,
      ],
    ]);
    expect(made.status).toBe(0);
    const redis = await testRedis({ password: "word", tls: { certificatePath, keyPath } });
    const url = redis.url.replace("//:", "//default:");
    const caPem = readFileSync(certificatePath, "utf8");
    const store = open(url, { caPem });
    await eventually(() => expect(store.state()).toBe("up"));
    expect(await store.run(ECHO, [], ["hello"])).toBe("hello");
    expect(await open(url).settled()).toBe("down");
  });
});

async function testRedis(options: Parameters<typeof openTestRedis>[0] = {}) {
  const redis = await openTestRedis(options);
  cleanups.push(redis.close);
  return redis;
}

function open(url: string, options: Partial<SharedStoreOptions> = {}): SharedStore {
  const store = openSharedStore({ url, clock: systemClock, key, ...options });
  cleanups.push(store.close);
  return store;
}

function adminOf(url: string): Redis {
  const admin = new Redis(url);
  admin.on("error", () => undefined);
  cleanups.push(async () => admin.disconnect());
  return admin;
}

/** All that anybody publishes. */
async function spyOn(url: string): Promise<string[]> {
  const spied: string[] = [];
  const spy = adminOf(url);
  spy.on("pmessage", (_pattern, channel: string, text: string) => spied.push(channel, text));
  await spy.psubscribe("*");
  return spied;
}

/** A way to the server that can lose all that goes over connections which once said something. */
async function proxyTo(port: number) {
  const connections: { socket: Socket; said: string; isLost: boolean }[] = [];
  const proxy = createServer((socket) => {
    const connection = { socket, said: "", isLost: false };
    connections.push(connection);
    const onward = connect(port, "127.0.0.1");
    for (const end of [socket, onward]) end.on("error", () => undefined);
    socket.on("data", (bytes) => {
      connection.said += bytes.toString("latin1");
      if (!connection.isLost) onward.write(bytes);
    });
    onward.on("data", (bytes) => connection.isLost || socket.write(bytes));
    socket.on("close", () => onward.destroy());
    onward.on("close", () => connection.isLost || socket.destroy());
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  cleanups.push(async () => {
    for (const { socket } of connections) socket.destroy();
    proxy.close();
  });
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no TCP port");
  return {
    url: `redis://127.0.0.1:${address.port}`,
    swallow(pattern: RegExp) {
      for (const each of connections) each.isLost ||= pattern.test(each.said);
    },
  };
}

async function timed<T>(work: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  try {
    return await work();
  } finally {
    expect(performance.now() - startMs).toBeLessThan(20);
  }
}
