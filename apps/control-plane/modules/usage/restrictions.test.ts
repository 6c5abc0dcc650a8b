import { createManualClock, DAY_MS } from "@securewave/foundation";
import { afterEach, describe, expect, test } from "vitest";
import type { Plan } from "../plans/index.ts";
import { WITHHELD_SECONDS } from "./connection-limit.ts";
import { monthOf } from "./quota.ts";
import { createRestrictions } from "./restrictions.ts";

const STANDARD: Plan = {
  id: "plan_standard",
  name: "Standard",
  quota_bytes: 1000,
  on_quota: "throttle",
  throttle_kbit_per_second: 512,
  connections_max: null,
  devices_max: null,
  tier: 1,
  speed_kbit_per_second: null,
  server_tags: [],
  is_default: true,
  is_retired: false,
};
const NOON = Date.UTC(2026, 10, 20, 12);
const opened: { close(): void }[] = [];
afterEach(() => {
  for (const scene of opened.splice(0)) scene.close();
});

/** What restrictions look at, to be moved by hand. */
function openScene() {
  const clock = createManualClock(NOON);
  const plans = new Map<string, Plan>();
  const used = new Map<string, { month: number; bytes: number }>();
  const connected = new Map<string, Set<string>>();
  const peers = new Map<string, { publicKey: string; nodeId: string }[]>();
  const heard = {
    used: new Set<(ids: Iterable<string>) => void>(),
    connected: new Set<(ids: Iterable<string>) => void>(),
    plan: new Set<(id: string | undefined) => void>(),
  };
  const hear =
    <Handler>(handlers: Set<Handler>) =>
    (handler: Handler) => {
      handlers.add(handler);
      return () => handlers.delete(handler);
    };
  const bytesOf = (id: string) => {
    const use = used.get(id);
    return use?.month === monthOf(clock.now()) ? use.bytes : 0;
  };
  const options = {
    clock,
    plans: { planOf: (id: string) => plans.get(id) ?? STANDARD, subscribe: hear(heard.plan) },
    usage: {
      used: bytesOf,
      forEachUsed: (each: (id: string, bytes: number) => void) => {
        for (const id of used.keys()) each(id, bytesOf(id));
      },
      onUsed: hear(heard.used),
    },
    connections: {
      connectedKeysOf: (id: string) => connected.get(id) ?? [],
      onConnected: hear(heard.connected),
    },
    peers: { peersOf: (id: string) => peers.get(id) ?? [] },
  };
  let restrictions = createRestrictions(options);
  const told: string[] = [];
  restrictions.subscribe((nodeId) => told.push(nodeId));
  opened.push({ close: () => restrictions.close() });

  return {
    clock,
    get restrictions() {
      return restrictions;
    },
    /** Which nodes were told since the last time. */
    told: () => told.splice(0).sort(),
    holds(accountId: string, ...places: [publicKey: string, nodeId: string][]) {
      peers.set(
        accountId,
        places.map(([publicKey, nodeId]) => ({ publicKey, nodeId })),
      );
    },
    uses(accountId: string, bytes: number) {
      used.set(accountId, { month: monthOf(clock.now()), bytes });
      for (const handler of heard.used) handler([accountId]);
    },
    connects(accountId: string, keys: string) {
      connected.set(accountId, new Set(keys));
      for (const handler of heard.connected) handler([accountId]);
    },
    plan(accountId: string | undefined, change: Partial<Plan>) {
      if (accountId !== undefined) plans.set(accountId, { ...STANDARD, ...change });
      for (const handler of heard.plan) handler(accountId);
    },
    later(seconds: number) {
      clock.advanceSeconds(seconds);
      restrictions.tick();
    },
    restart() {
      restrictions.close();
      restrictions = createRestrictions(options);
    },
  };
}

const throttled = (public_key: string, kbit_per_second = 512) => ({
  public_key,
  kind: "throttled",
  kbit_per_second,
});
const blocked = (public_key: string) => ({ public_key, kind: "blocked" });

describe("the quota", () => {
  test("restricts every device of the account on every node at 100 %, and nobody else", () => {
    const scene = openScene();
    scene.holds("ann", ["b", "node_1"], ["a", "node_1"], ["c", "node_2"]);
    scene.holds("bob", ["x", "node_1"]);
    scene.uses("ann", 999);
    expect(scene.told()).toEqual([]);
    scene.uses("ann", 1000);
    expect(scene.told()).toEqual(["node_1", "node_2"]);
    expect(scene.restrictions.listFor("node_1")).toEqual([throttled("a"), throttled("b")]);
    expect(scene.restrictions.listFor("node_2")).toEqual([throttled("c")]);
    expect(scene.restrictions.listFor("node_3")).toEqual([]);
  });

  test("tells a node once, and not with every byte more", () => {
    const scene = openScene();
    scene.holds("ann", ["a", "node_1"]);
    for (const bytes of [1000, 1001, 5000]) scene.uses("ann", bytes);
    expect(scene.told()).toEqual(["node_1"]);
  });

  test("blocks where the plan says so", () => {
    const scene = openScene();
    scene.holds("ann", ["a", "node_1"]);
    scene.plan("ann", { on_quota: "block" });
    scene.uses("ann", 1000);
    expect(scene.restrictions.listFor("node_1")).toEqual([blocked("a")]);
  });

  test("is whole again within a second of the new month, also after a sleep over several", () => {
    for (const seconds of [11 * DAY_MS, 70 * DAY_MS].map((ms) => ms / 1000)) {
      const scene = openScene();
      scene.holds("ann", ["a", "node_1"]);
      scene.uses("ann", 1000);
      scene.later(10 * 86_400);
      expect(scene.restrictions.listFor("node_1")).toHaveLength(1);
      scene.told();
      scene.later(seconds);
      expect(scene.told()).toEqual(["node_1"]);
      expect(scene.restrictions.listFor("node_1")).toEqual([]);
    }
  });

  test("follows the plan at once: a bigger one lifts it, another speed changes it, a smaller one brings it", () => {
    const scene = openScene();
    scene.holds("ann", ["a", "node_1"]);
    scene.uses("ann", 1500);
    scene.told();
    scene.plan("ann", { quota_bytes: 5000 });
    expect([scene.told(), scene.restrictions.listFor("node_1")]).toEqual([["node_1"], []]);
    scene.plan("ann", { quota_bytes: 1200 });
    expect([scene.told(), scene.restrictions.listFor("node_1")]).toEqual([["node_1"], [throttled("a")]]);
    scene.plan("ann", { throttle_kbit_per_second: 64 });
    expect([scene.told(), scene.restrictions.listFor("node_1")]).toEqual([["node_1"], [throttled("a", 64)]]);
    scene.plan("ann", { on_quota: "block" });
    expect([scene.told(), scene.restrictions.listFor("node_1")]).toEqual([["node_1"], [blocked("a")]]);
    scene.plan("ann", { quota_bytes: null });
    expect([scene.told(), scene.restrictions.listFor("node_1")]).toEqual([["node_1"], []]);
  });

  test("follows a change of the plans themselves, for all who have them", () => {
    const scene = openScene();
    scene.holds("ann", ["a", "node_1"]);
    scene.holds("bob", ["x", "node_2"]);
    scene.uses("ann", 1500);
    scene.uses("bob", 800);
    scene.told();
    scene.plan(undefined, {});
    expect(scene.restrictions.listFor("node_1")).toEqual([throttled("a")]);
    expect(scene.restrictions.listFor("node_2")).toEqual([]);
  });

  test("holds after a restart as soon as the totals are read", () => {
    const scene = openScene();
    scene.holds("ann", ["a", "node_1"]);
    scene.uses("ann", 1000);
    scene.restart();
    expect(scene.restrictions.listFor("node_1")).toEqual([throttled("a")]);
  });

  test("restricts a device that is added or moved later where it is", () => {
    const scene = openScene();
    scene.holds("ann", ["a", "node_1"]);
    scene.uses("ann", 1000);
    scene.holds("ann", ["a", "node_2"], ["b", "node_2"]);
    expect(scene.restrictions.listFor("node_1")).toEqual([]);
    expect(scene.restrictions.listFor("node_2")).toEqual([throttled("a"), throttled("b")]);
  });
});

describe("simultaneous connections", () => {
  function openLimited() {
    const scene = openScene();
    scene.plan("ann", { connections_max: 2, quota_bytes: 1000 });
    scene.holds("ann", ["a", "node_1"], ["b", "node_1"], ["c", "node_2"]);
    scene.told();
    return scene;
  }

  test("beyond the limit the newest device is kept away for a minute, the others are untouched", () => {
    const scene = openLimited();
    scene.connects("ann", "bc");
    expect(scene.told()).toEqual([]);
    scene.connects("ann", "bca");
    expect(scene.told()).toEqual(["node_1", "node_2"]);
    expect(scene.restrictions.listFor("node_1")).toEqual([blocked("a")]);
    expect(scene.restrictions.listFor("node_2")).toEqual([]);
    scene.connects("ann", "b");
    scene.later(WITHHELD_SECONDS - 1);
    expect(scene.restrictions.listFor("node_1")).toEqual([blocked("a")]);
    scene.told();
    scene.later(1);
    expect(scene.told()).toEqual(["node_1", "node_2"]);
    expect(scene.restrictions.listFor("node_1")).toEqual([]);
  });

  test("a phone that changes network is no new device, and one that moves to another node is not two", () => {
    const scene = openLimited();
    scene.connects("ann", "ab");
    scene.connects("ann", "ab");
    scene.holds("ann", ["a", "node_3"], ["b", "node_1"], ["c", "node_2"]);
    scene.connects("ann", "ab");
    for (const node of ["node_1", "node_2", "node_3"]) expect(scene.restrictions.listFor(node)).toEqual([]);
  });

  test("without a limit any number connect", () => {
    const scene = openScene();
    scene.holds("bob", ["x", "node_1"]);
    scene.connects("bob", "abcdefghijklmnopqrstuvwx");
    expect(scene.told()).toEqual([]);
    expect(scene.restrictions.listFor("node_1")).toEqual([]);
  });

  test("a plan with more connections lets in at once who was kept away", () => {
    const scene = openLimited();
    scene.connects("ann", "bc");
    scene.connects("ann", "bca");
    scene.told();
    scene.plan("ann", { connections_max: 3 });
    expect(scene.told()).toEqual(["node_1", "node_2"]);
    expect(scene.restrictions.listFor("node_1")).toEqual([]);
  });

  test("who is kept away is not throttled too", () => {
    const scene = openLimited();
    scene.connects("ann", "bc");
    scene.connects("ann", "bca");
    scene.uses("ann", 1000);
    expect(scene.restrictions.listFor("node_1")).toEqual([blocked("a"), throttled("b")]);
  });
});
