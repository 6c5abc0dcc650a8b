import { createManualClock, type ManualClock } from "@securewave/foundation";
import { openSharedStore, type SharedStore } from "@securewave/sentinel/redis";
import { eventually } from "@securewave/testing/eventually";
import { openTestRedis, redisRequirements } from "@securewave/testing/redis";
import { afterEach, describe, expect, test } from "vitest";
import { createPresence, createUsage, type Mark, type Presence, shareLive, type Usage } from "./index.ts";
import { createTestNode, type TestNode } from "./testing-node.ts";

const MIB = 2 ** 20;
const TICK_MS = 100;
const HEALTHY = { appliedRevision: 3, agentVersion: "1", problem: undefined };
const needs = redisRequirements();

interface Replica {
  readonly usage: Usage;
  readonly presence: Presence;
  readonly store: SharedStore;
  take(node: TestNode, keys: readonly string[]): void;
  lose(node: TestNode): void;
  stop(): Promise<void>;
}

describe.skipIf(!needs.ok)("replicas", () => {
  const cleanUps: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  async function openRedis() {
    const redis = await openTestRedis();
    cleanUps.push(() => redis.close());
    return redis;
  }

  async function openReplica(
    url: string,
    clock: ManualClock,
    marks = new Map<string, Mark>(),
  ): Promise<Replica> {
    const store = openSharedStore({ url, clock, key: new Uint8Array(32).fill(9) });
    const [usage, presence] = [createUsage({ clock }), createPresence()];
    usage.useMarks((nodeId) => marks.get(nodeId));
    await store.settled(2000);
    const sharing = shareLive({ channel: store, usage, presence, tickMs: TICK_MS });
    let isStopped = false;
    const stop = async () => {
      if (isStopped) return;
      isStopped = true;
      sharing.close();
      await store.close();
    };
    cleanUps.push(stop);
    return {
      usage,
      presence,
      store,
      take(node, keys) {
        presence.set(node.id, HEALTHY);
        node.connect(usage, keys);
      },
      lose(node) {
        node.disconnect();
        presence.remove(node.id);
      },
      stop,
    };
  }

  /** Two replicas on one Redis, and a node that belongs to neither yet. */
  async function openPair() {
    const redis = await openRedis();
    const clock = createManualClock(1_700_000_000_000);
    const [one, two] = [await openReplica(redis.url, clock), await openReplica(redis.url, clock)];
    return { redis, one, two, node: createTestNode("node_1") };
  }

  const seen = ({ usage, presence }: Replica) => ({
    used: usage.unsettledOf("a"),
    isConnected: usage.connections.stateOf("a1").isConnected,
    isNodeThere: presence.of("node_1") !== undefined,
  });

  test("know who is connected and what is used on each other's nodes", async () => {
    const { one, two, node } = await openPair();
    const other = createTestNode("node_2");
    one.take(node, ["a1"]);
    two.take(other, ["a2"]);
    node.report({ a1: [1000, 20] });
    other.report({ a2: [5, 0] });
    await eventually(() => {
      for (const replica of [one, two]) {
        expect(seen(replica)).toEqual({ used: 1025, isConnected: true, isNodeThere: true });
        expect([...replica.usage.connectedKeysOf("a")].sort()).toEqual(["a1", "a2"]);
      }
    });
    expect(two.presence.ownNodes()).toEqual(["node_2"]);
    expect(two.presence.of("node_1")).toEqual(HEALTHY);
  });

  test("know how each other's nodes do, and what was found out about them", async () => {
    const { one, two, node } = await openPair();
    one.take(node, ["a1"]);
    one.presence.noteVitals(node.id, { processor: 0.5, handshakeMs: 12.3 });
    await eventually(() =>
      expect(two.presence.vitalsOf(node.id)).toMatchObject({
        processor: 0.5,
        handshakeMs: 12.3,
        memory: null,
      }),
    );
    one.presence.find(node.id, "It is silent.");
    await eventually(() => expect(two.presence.of(node.id)?.finding).toBe("It is silent."));
    one.presence.find(node.id, undefined);
    await eventually(() => expect(two.presence.of(node.id)?.finding).toBeUndefined());
    one.lose(node);
    await eventually(() => expect(two.presence.vitalsOf(node.id)).toBeUndefined());
  });

  test("that start later are told all that is known", async () => {
    const redis = await openRedis();
    const clock = createManualClock(1_700_000_000_000);
    const one = await openReplica(redis.url, clock);
    const node = createTestNode("node_1");
    one.take(node, ["a1"]);
    node.report({ a1: [1000, 20] });
    const two = await openReplica(redis.url, clock);
    await eventually(() => expect(seen(two)).toEqual({ used: 1020, isConnected: true, isNodeThere: true }));
  });

  test("go on counting where a node comes back after its replica died, and nothing counts twice", async () => {
    const redis = await openRedis();
    const clock = createManualClock(1_700_000_000_000);
    const one = await openReplica(redis.url, clock);
    const [two, three] = [await openReplica(redis.url, clock), await openReplica(redis.url, clock)];
    const node = createTestNode("node_1");
    one.take(node, ["a1"]);
    node.report({ a1: [1000, 0] });
    await eventually(() => expect([seen(two).used, seen(three).used]).toEqual([1000, 1000]));
    await one.stop();
    await eventually(() =>
      expect(seen(two), "its nodes are gone, what was used stands").toEqual({
        used: 1000,
        isConnected: false,
        isNodeThere: false,
      }),
    );
    two.take(node, ["a1"]);
    node.report({ a1: [1500, 0] });
    await eventually(() => {
      for (const replica of [two, three])
        expect(seen(replica)).toEqual({ used: 1500, isConnected: true, isNodeThere: true });
    });
  });

  test("settle each other's nodes, and take the same off", async () => {
    const { one, two, node } = await openPair();
    const other = createTestNode("node_2");
    one.take(node, ["a1"]);
    two.take(other, ["a2"]);
    node.report({ a1: [3 * MIB + 7, 0] });
    other.report({ a2: [2 * MIB + 1, 0] });
    await eventually(() => expect([seen(one).used, seen(two).used]).toEqual([5 * MIB + 8, 5 * MIB + 8]));
    const batch = await two.usage.closeBatch(2000);
    expect(batch.marks.map(({ nodeId }) => nodeId).sort()).toEqual(["node_1", "node_2"]);
    let written = 0;
    batch.forEachSettled((_, bytes) => {
      written += bytes;
    });
    expect(written).toBe(5 * MIB);
    batch.settled();
    expect(seen(two).used).toBe(8);
    await eventually(() => {
      expect(seen(one).used).toBe(8);
      expect([node.settledBatches, other.settledBatches]).toEqual([["1"], ["1"]]);
    });
    node.report({ a1: [3 * MIB + 9, 0] });
    await eventually(() => expect([seen(one).used, seen(two).used]).toEqual([10, 10]));
  });

  test("without Redis go on with their own nodes while the last figures of others stand, and catch up afterwards", async () => {
    const { redis, one, two, node } = await openPair();
    one.take(node, ["a1"]);
    node.report({ a1: [1000, 0] });
    await eventually(() => expect(seen(two).used).toBe(1000));
    await redis.kill();
    node.report({ a1: [1700, 0] });
    await new Promise((resolve) => setTimeout(resolve, 5 * TICK_MS));
    expect(seen(one)).toEqual({ used: 1700, isConnected: true, isNodeThere: true });
    expect(seen(two)).toEqual({ used: 1000, isConnected: true, isNodeThere: true });
    await redis.restart();
    await eventually(() => expect(seen(two).used).toBe(1700));
  });

  test("agree that a node is quarantined", async () => {
    const { one, two, node } = await openPair();
    one.take(node, ["a1"]);
    node.report({ a1: [1000, 0] });
    await eventually(() => expect(seen(two).used).toBe(1000));
    node.report({ a1: [10, 0] });
    await eventually(() => expect(two.usage.distrusted().has("node_1")).toBe(true));
    node.report({ a1: [5_000_000, 0] });
    await new Promise((resolve) => setTimeout(resolve, 2 * TICK_MS));
    expect([seen(one).used, seen(two).used]).toEqual([1000, 1000]);
  });

  test("leave nothing in Redis, and nobody without the service's secret reads what they say", async () => {
    const redis = await openRedis();
    const clock = createManualClock(1_700_000_000_000);
    const [one, two] = [await openReplica(redis.url, clock), await openReplica(redis.url, clock)];
    const { Redis } = await import("ioredis");
    const spy = new Redis(redis.url);
    const heard: string[] = [];
    await spy.psubscribe("*");
    spy.on("pmessage", (_pattern, topic, text) => heard.push(topic, text));
    const reader = new Redis(redis.url);
    cleanUps.push(async () => {
      spy.disconnect();
      reader.disconnect();
    });
    const node = createTestNode("node_1", () => "a");
    one.take(node, ["canary-key"]);
    node.report({ "canary-key": [271_828_182, 0] });
    await eventually(() => expect(two.usage.unsettledOf("a")).toBe(271_828_182));
    const all = heard.join("\n");
    expect(heard.length).toBeGreaterThan(4);
    for (const secret of ["canary-key", "node_1", "271828182"]) {
      expect(all).not.toContain(secret);
      expect(all).not.toContain(Buffer.from(secret).toString("base64").slice(0, -2));
    }
    const names = await reader.keys("*");
    expect(names.filter((name) => !name.includes(":probe:"))).toEqual([]);
  });
});
