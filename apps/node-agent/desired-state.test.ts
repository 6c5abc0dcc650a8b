import type { PeerSpec } from "@securewave/contracts/node-protocol";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { createPeerSet } from "@securewave/wireguard/peer-set";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createDesiredState } from "./desired-state.ts";
import { createMemoryDriver } from "./drivers/memory.ts";
import { parsePeerSpec } from "./peer-spec.ts";
import { peerSpec } from "./testing-plane.ts";

const ownKey = generateKeyPair().publicKey;
const number = fc.integer({ min: 0, max: 12 });
const spec = fc
  .record({ number, presharedKey: fc.option(number, { nil: undefined }), address: number, tier: number })
  .map(({ number: key, presharedKey, address, tier }) =>
    peerSpec(key, { address, tier, ...(presharedKey !== undefined && { presharedKey }) }),
  );
type Step =
  | { kind: "change"; upserts: PeerSpec[]; removals: number[] }
  | { kind: "snapshot"; peers: PeerSpec[] }
  | { kind: "tamper"; number: number }
  | { kind: "gap" | "settle" | "begin to settle" | "break" };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("change"),
      upserts: fc.array(spec, { maxLength: 4 }),
      removals: fc.array(number, { maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("snapshot"), peers: fc.array(spec) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("tamper"), number }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom("gap", "settle", "begin to settle", "break") }),
  },
);

test("whatever changes, gaps, failures and hands of others come, the interface ends with the wanted set", async () => {
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 40 }),
    number,
    async (steps, refusedNumber) => {
      const scene = createScene(peerSpec(refusedNumber).public_key);
      for (const current of steps) await scene.play(current);
      const { settled, driver, wanted, revision, failed, tiers, wantedTiers } = await scene.end();
      expect(tiers).toEqual(wantedTiers);
      expect(createPeerSet(driver.peers.values()).hash()).toBe(wanted.hash());
      expect(settled).toMatchObject({ revision, hash: wanted.hash(), failed });
    },
  );
  await fc.assert(property, { numRuns: 300 });
});

test("a change costs as much as it touches, whatever the number of peers", async () => {
  const driver = createMemoryDriver();
  const state = createDesiredState(driver, ownKey);
  state.takeSnapshot({ revision: 1, peers: Array.from({ length: 5000 }, (_, key) => peerSpec(key)) });
  await state.settle();
  const before = { ...driver.writes };
  state.takeChange({ from: 1, to: 2, upserts: [peerSpec(6000)], removals: [peerSpec(7).public_key] });
  const { upserts, removed } = await state.settle();
  expect({ upserts, removed: removed.map(({ publicKey }) => publicKey) }).toEqual({
    upserts: 1,
    removed: [peerSpec(7).public_key],
  });
  expect(driver.writes).toEqual({
    reads: before.reads,
    upserts: before.upserts + 1,
    resets: before.resets,
    removals: before.removals + 1,
  });
});

test("what the interface lost is told, prefixes too, also when the settling failed in the midst of it", async () => {
  let isBroken = false;
  const driver = createMemoryDriver({
    before: () => {
      if (isBroken) throw new Error("the interface is gone");
    },
  });
  const state = createDesiredState(driver, ownKey);
  const [moving, leaving] = [peerSpec(1), peerSpec(2)];
  state.takeSnapshot({ revision: 1, peers: [moving, leaving] });
  expect((await state.settle()).removed).toEqual([]);
  const upserts = [peerSpec(1, { address: 9 })];
  state.takeChange({ from: 1, to: 2, upserts, removals: [leaving.public_key] });
  isBroken = true;
  await expect(state.settle()).rejects.toThrow();
  driver.peers.clear(); // it was done before it failed
  isBroken = false;
  const { removed } = await state.settle();
  expect(removed.map(({ publicKey }) => publicKey)).toEqual([leaving.public_key, moving.public_key]);
  expect(removed[1]?.allowedIps).toEqual(moving.allowed_ips);
  expect((await state.settle()).removed).toEqual([]);
});

test("changes that wait are applied together", async () => {
  const driver = createMemoryDriver();
  const state = createDesiredState(driver, ownKey);
  state.takeSnapshot({ revision: 1, peers: [] });
  await state.settle();
  for (let from = 1; from < 100; from++) {
    state.takeChange({ from, to: from + 1, upserts: [peerSpec(1, { address: from })], removals: [] });
  }
  expect(await state.settle()).toMatchObject({ revision: 100, upserts: 1 });
});

/** A desired state beside a plain map that does the same in the simplest way. */
function createScene(refusedKey: string) {
  let failuresLeft = 0;
  const driver = createMemoryDriver({
    refuses: ({ publicKey }) => publicKey === refusedKey,
    async before() {
      await Promise.resolve();
      if (failuresLeft-- > 0) throw new Error("the interface is gone");
    },
  });
  const state = createDesiredState(driver, ownKey);
  const wanted = new Map<string, PeerSpec>();
  let revision = 0;
  let running: Promise<unknown> = Promise.resolve();
  state.takeSnapshot({ revision, peers: [] });
  const settle = () => state.settle().catch(() => undefined);

  function takeChange(upserts: PeerSpec[], removals: string[]): void {
    const isTaken = state.takeChange({ from: revision, to: ++revision, upserts, removals });
    expect(isTaken).toBe(true);
    for (const key of removals) wanted.delete(key);
    for (const peer of upserts) wanted.set(peer.public_key, peer);
  }

  function takeSnapshot(peers: PeerSpec[]): void {
    state.takeSnapshot({ revision: ++revision, peers });
    wanted.clear();
    for (const peer of peers) wanted.set(peer.public_key, peer);
  }

  async function play(current: Step): Promise<void> {
    if (current.kind === "change") {
      const removals = current.removals.map((key) => peerSpec(key).public_key);
      return takeChange(current.upserts, removals);
    }
    if (current.kind === "snapshot") return takeSnapshot(current.peers);
    if (current.kind === "break") {
      failuresLeft = 2;
      return;
    }
    if (current.kind === "gap") {
      const gap = { from: revision + 1, to: revision + 2, upserts: [peerSpec(99)], removals: [] };
      expect(state.takeChange(gap)).toBe(false);
      return;
    }
    await running;
    if (current.kind === "settle") await settle();
    if (current.kind === "begin to settle") running = settle();
    if (current.kind === "tamper") {
      const peer = parsePeerSpec(peerSpec(current.number));
      if (peer !== undefined) driver.peers.delete(peer.publicKey);
      state.distrustInterface();
    }
  }

  async function end() {
    await running;
    failuresLeft = 0;
    let settled = await state.settle();
    while (!state.isSettled) settled = await state.settle();
    const tiers = Object.fromEntries(state.tiers());
    const wantedTiers = Object.fromEntries(
      [...wanted.values()].filter(({ tier }) => tier > 0).map(({ public_key, tier }) => [public_key, tier]),
    );
    const failed = wanted.delete(refusedKey) ? [refusedKey] : [];
    const peers = [...wanted.values()].map(parsePeerSpec).filter((peer) => peer !== undefined);
    return { settled, driver, wanted: createPeerSet(peers), revision, failed, tiers, wantedTiers };
  }

  return { play, end };
}
