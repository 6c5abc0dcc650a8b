import { AGE_NONE, decodeSettled, encodeFigures } from "@securewave/contracts/node-frames";
import { REPORT_INTERVAL_SECONDS } from "@securewave/contracts/node-protocol";
import { createManualClock } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { expect, test } from "vitest";
import { createMemoryDriver, type MemoryDriver } from "./drivers/memory.ts";
import { AgentError } from "./errors.ts";
import type { OpenScrubber, ScrubberInside } from "./scrubber.ts";
import {
  appliedRevision,
  blocked,
  change,
  framesOf,
  hashOf,
  isBatch,
  keptState,
  lastRoster,
  openPlane,
  parsed,
  reportsIn,
  restrict,
  rosterOf,
  slotOf,
  snapshot,
  startAgent,
  throttled,
  useTunnel,
} from "./testing-agent.ts";
import { createPlaneKeys, peerSpec, TEST_INTERFACE } from "./testing-plane.ts";

test("an agent applies a snapshot and then changes in order, and says which revision and set it has", async () => {
  const plane = await openPlane({ onProof: () => [snapshot(1, [1, 2])] });
  const { driver } = await startAgent(plane);
  await appliedRevision(plane, 1);
  plane.send(change(1, 2, [3]), change(2, 3, [], [1]), change(3, 4, [4], [3]));
  const applied = await appliedRevision(plane, 4);
  expect(applied).toEqual({ type: "applied", revision: 4, hash: hashOf([2, 4]), failed: [] });
  expect([...driver.peers.keys()].sort()).toEqual([2, 4].map((n) => peerSpec(n).public_key).sort());
});

test("a control plane that is not the pinned one hears nothing but hellos, and the agent keeps trying", async () => {
  let isImpostor = true;
  const plane = await openPlane({ isImpostor: () => isImpostor, onProof: () => [snapshot(1, [1])] });
  await startAgent(plane);
  await eventually(() => expect(plane.connections()).toBeGreaterThan(2));
  expect(new Set(plane.frames.map(({ type }) => type))).toEqual(new Set(["hello"]));
  isImpostor = false;
  await appliedRevision(plane, 1);
});

test("each hello has a nonce of its own", async () => {
  const plane = await openPlane({ isImpostor: () => true });
  await startAgent(plane);
  await eventually(() => expect(plane.connections()).toBeGreaterThan(2));
  const nonces = plane.frames.map((frame) => frame.type === "hello" && frame.nonce);
  expect(new Set(nonces).size).toBe(nonces.length);
});

test("a change that does not fit is answered by one resync, and nothing is applied until the snapshot", async () => {
  const plane = await openPlane({ onProof: () => [snapshot(1, [1])] });
  const { driver } = await startAgent(plane);
  await appliedRevision(plane, 1);
  plane.send(change(5, 6, [9]), change(6, 7, [10]), change(1, 2, [11]));
  await eventually(() => expect(framesOf(plane, "resync")).toHaveLength(1));
  plane.send(snapshot(7, [1, 9, 10]), change(7, 8, [], [9]));
  await appliedRevision(plane, 8);
  expect(framesOf(plane, "resync")).toHaveLength(1);
  expect(driver.peers.size).toBe(2);
});

test("a snapshot touches only what differs from the interface", async () => {
  const plane = await openPlane({ onProof: () => [snapshot(1, [1, 2, 3])] });
  const { driver } = await startAgent(plane);
  await appliedRevision(plane, 1);
  const before = { ...driver.writes };
  plane.send(snapshot(9, [2, 3, 4]));
  await appliedRevision(plane, 9);
  expect(driver.writes).toMatchObject({ upserts: before.upserts + 1, removals: before.removals + 1 });
});

test("after a restart of the control plane the agent is back and tells what it holds", async () => {
  const keys = createPlaneKeys();
  const first = await openPlane({ keys, onProof: () => [snapshot(3, [1, 2])] });
  const { driver } = await startAgent(first);
  await appliedRevision(first, 3);
  await first.close();
  expect(driver.peers.size).toBe(2);
  const second = await openPlane({ keys, port: first.port });
  await eventually(() => expect(second.proofs()).toHaveLength(1));
  expect(second.proofs()[0]).toMatchObject({
    revision: 3,
    hash: hashOf([1, 2]),
    implementation: "userspace",
  });
  second.send(change(3, 4, [3]));
  await appliedRevision(second, 4);
});

test("a peer that WireGuard refuses is left out and named, and the rest goes through", async () => {
  const [bad] = [peerSpec(2).public_key];
  const driver = createMemoryDriver({ refuses: ({ publicKey }) => publicKey === bad });
  const plane = await openPlane({ onProof: () => [snapshot(1, [1, 2, 3])] });
  await startAgent(plane, { driver });
  const applied = await appliedRevision(plane, 1);
  expect(applied).toEqual({ type: "applied", revision: 1, hash: hashOf([1, 3]), failed: [bad] });
});

test("a key that is no point, and the node's own, count as refused", async () => {
  const pair = generateKeyPair();
  const weak = { ...peerSpec(1), public_key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
  const own = { ...peerSpec(2), public_key: pair.publicKey };
  const frame = { type: "snapshot", revision: 1, peers: [weak, own, peerSpec(3)] } as const;
  const plane = await openPlane({ onProof: () => [{ ...frame, peers: [...frame.peers] }] });
  await startAgent(plane, { privateKey: pair.privateKey });
  const applied = await appliedRevision(plane, 1);
  expect(applied).toMatchObject({ hash: hashOf([3]), failed: [weak.public_key, own.public_key] });
  plane.send({ type: "change", from: 1, to: 2, upserts: [], removals: [weak.public_key, own.public_key] });
  expect(await appliedRevision(plane, 2)).toMatchObject({ failed: [] });
});

test("reports come on the tick with every peer's totals, and ages of live sessions only", async () => {
  expect(REPORT_INTERVAL_SECONDS).toBe(5);
  const clock = createManualClock(1_700_000_000_000);
  const plane = await openPlane({ onProof: () => [snapshot(1, [1, 2])] });
  const driver = createMemoryDriver();
  for (const [number, age] of [
    [1, 179],
    [2, 180],
  ] as const) {
    const publicKey = parsed(number).publicKey;
    const lastHandshakeSeconds = clock.now() / 1000 - age;
    driver.counters.set(publicKey, {
      publicKey,
      receivedBytes: 7,
      sentBytes: 9,
      lastHandshakeSeconds,
      hasEndpoint: true,
    });
  }
  await startAgent(plane, { driver, clock, steadyMs: () => 0, reportIntervalMs: 20 });
  await eventually(() => {
    const report = plane.figures.at(-1);
    expect(report).toMatchObject({ kind: "report", roster: rosterOf(plane).number });
    const { received, sent, ages } = slotOf(plane, 1);
    expect({ received, sent, ages }).toEqual({ received: 7, sent: 9, ages: 179 });
    expect(slotOf(plane, 2)).toEqual({ received: 7, sent: 9, ages: AGE_NONE });
  });
});

test("peers that someone else changed are put right", async () => {
  const plane = await openPlane({ onProof: () => [snapshot(1, [1, 2])] });
  const { driver } = await startAgent(plane, { reportIntervalMs: 20 });
  await appliedRevision(plane, 1);
  driver.peers.delete(parsed(1).publicKey);
  await eventually(() => expect(driver.peers.size).toBe(2));
  driver.peers.set(parsed(3).publicKey, parsed(3));
  await eventually(() => expect(driver.peers.size).toBe(2));
});

test("an interface that is gone is reported as a problem, made again and filled again", async () => {
  let isGone = false;
  const driver = createMemoryDriver({
    before() {
      if (isGone) throw new AgentError("The WireGuard interface is gone.");
    },
  });
  const plane = await openPlane({ onProof: () => [snapshot(1, [1, 2])] });
  await startAgent(plane, { driver, reportIntervalMs: 20 });
  await appliedRevision(plane, 1);
  isGone = true;
  driver.peers.clear();
  plane.send(change(1, 2, [3]));
  await eventually(() =>
    expect(framesOf(plane, "condition").at(-1)?.problem).toBe("The WireGuard interface is gone."),
  );
  expect(framesOf(plane, "applied")).toHaveLength(1);
  isGone = false;
  expect(await appliedRevision(plane, 2)).toMatchObject({ hash: hashOf([1, 2, 3]) });
  expect(driver.peers.size).toBe(3);
  await eventually(() => expect(framesOf(plane, "condition").at(-1)?.problem).toBeNull());
});

test("a restarted agent serves from its state file while the control plane is away", async () => {
  const stateFile = keptState({ revision: 8, hash: hashOf([1, 2]), numbers: [1, 2] });
  const plane = await openPlane();
  await plane.close();
  const { driver, agent } = await startAgent(plane, { stateFile });
  expect(driver.peers.size).toBe(2);
  expect(agent.status()).toMatchObject({ connected: false, revision: 8, peers: 2 });
});

test("a restarted agent leaves the peers of its interface alone, also those newer than its state file", async () => {
  const driver = createMemoryDriver();
  await driver.open({ name: "sw0", privateKey: generateKeyPair().privateKey, listenPort: 51820 });
  for (const number of [1, 2, 3]) driver.peers.set(parsed(number).publicKey, parsed(number));
  const plane = await openPlane({ onProof: () => [snapshot(9, [1, 2, 3])] });
  const stateFile = keptState({ revision: 8, hash: hashOf([1, 2]), numbers: [1, 2] });
  const { agent } = await startAgent(plane, { driver, stateFile });
  expect(agent.status()).toMatchObject({ revision: null, hash: hashOf([1, 2, 3]) });
  await appliedRevision(plane, 9);
  expect(driver.writes).toMatchObject({ upserts: 0, removals: 0 });
});

test("a starting agent tells its scrubber who belongs in the tunnel, and which peers came off meanwhile", async () => {
  const driver = createMemoryDriver();
  await driver.open({ name: "sw0", privateKey: generateKeyPair().privateKey, listenPort: 51820 });
  for (const number of [1, 2, 3]) driver.peers.set(parsed(number).publicKey, parsed(number));
  const frames = [restrict(1, [blocked(3)]), snapshot(9, [2, 3, 4])];
  const plane = await openPlane({ onProof: () => frames });
  const stateFile = keptState({ revision: 8, hash: hashOf([1, 2, 3]), numbers: [1, 2, 3] });
  const takenOff: string[] = [];
  let inside: ScrubberInside | undefined;
  const scrubber: OpenScrubber = (given) => {
    inside = given;
    return {
      scrub: async () => {},
      takenOff: (peers) => void takenOff.push(...peers.map(({ publicKey }) => publicKey)),
      isLate: () => false,
      stop: async () => {},
    };
  };
  await startAgent(plane, { driver, stateFile, scrubber });
  await appliedRevision(plane, 9);
  expect(takenOff).toEqual([parsed(1).publicKey]);
  const { addresses, peers = [] } = inside?.tunnel?.() ?? {};
  expect(addresses).toEqual(TEST_INTERFACE.addresses);
  // Who is blocked has no business there.
  expect(new Set(peers.map(({ publicKey }) => publicKey))).toEqual(
    new Set([2, 4].map((number) => parsed(number).publicKey)),
  );
});

test("an adopted interface without a state file keeps its peers until the control plane has spoken", async () => {
  const driver = createMemoryDriver();
  await driver.open({ name: "sw0", privateKey: generateKeyPair().privateKey, listenPort: 51820 });
  driver.peers.set(parsed(1).publicKey, parsed(1));
  const plane = await openPlane();
  const { agent } = await startAgent(plane, { driver });
  await eventually(() => expect(agent.status().peers).toBe(1));
  plane.send(snapshot(4, [1, 2]));
  await appliedRevision(plane, 4);
  expect(driver.writes).toMatchObject({ upserts: 1, removals: 0 });
});

test("frames that are malformed or out of place end the connection and nothing else", async () => {
  const plane = await openPlane({ onProof: () => [snapshot(1, [1])] });
  await startAgent(plane);
  await appliedRevision(plane, 1);
  const wrong = { ...change(1, 2, [2]), extra: true };
  plane.send(wrong);
  await eventually(() => expect(plane.proofs()).toHaveLength(2));
  expect(plane.proofs()[1]).toMatchObject({ revision: 1, hash: hashOf([1]) });
});

test("devices that are blocked are kept off the interface, which the state and its hash do not tell", async () => {
  const plane = await openPlane({ onProof: () => [restrict(1, [blocked(2)]), snapshot(1, [1, 2])] });
  const { driver } = await startAgent(plane);
  const applied = await appliedRevision(plane, 1);
  expect(applied?.hash).toBe(hashOf([1, 2]));
  expect([...driver.peers.keys()]).toEqual([parsed(1).publicKey]);
  plane.send(restrict(2, [blocked(1)]));
  await eventually(() => expect([...driver.peers.keys()]).toEqual([parsed(2).publicKey]));
  plane.cut();
  await eventually(() => expect(plane.proofs()).toHaveLength(2));
  expect(plane.proofs()[1]).toMatchObject({ revision: 1, hash: hashOf([1, 2]) });
  await eventually(() => expect([...driver.peers.keys()]).toEqual([parsed(1).publicKey]));
  plane.send(restrict(4, []));
  await eventually(() => expect(driver.peers.size).toBe(2));
});

test("restrictions hold while the control plane is away, and a new device that is blocked is never let in", async () => {
  const plane = await openPlane({
    onProof: () => [restrict(1, [blocked(2), blocked(3)]), snapshot(1, [1, 2])],
  });
  const seen = new Set<string>();
  const driver = createMemoryDriver();
  const apply = driver.apply.bind(driver);
  const watched: MemoryDriver = {
    ...driver,
    apply(change) {
      for (const { peer } of change.upserts) seen.add(peer.publicKey);
      return apply(change);
    },
  };
  await startAgent(plane, { driver: watched, reportIntervalMs: 20 });
  await appliedRevision(plane, 1);
  plane.send(change(1, 2, [3]));
  await appliedRevision(plane, 2);
  await plane.close();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect([...driver.peers.keys()]).toEqual([parsed(1).publicKey]);
  expect(seen).toEqual(new Set([parsed(1).publicKey]));
});

test("throttled devices are given to the shaper with their addresses; what it cannot do is told and tried again", async () => {
  const plane = await openPlane({ onProof: () => [restrict(1, [throttled(1, 500)]), snapshot(1, [1, 2])] });
  const limits = new Map<string, unknown>();
  let isBroken = true;
  const shaper = {
    async apply(wanted: ReadonlyMap<string, unknown>) {
      if (isBroken) throw new AgentError("This kernel has no queues.");
      expect(wanted.size).toBe(0);
    },
    change: async (changes: ReadonlyMap<string, unknown>) =>
      changes.forEach((limit, key) => void limits.set(key, limit)),
  };
  await startAgent(plane, { shaper, reportIntervalMs: 20 });
  await eventually(() =>
    expect(framesOf(plane, "condition").at(-1)?.problem).toBe("This kernel has no queues."),
  );
  isBroken = false;
  const { public_key, allowed_ips } = peerSpec(1);
  await eventually(() => {
    expect([...limits]).toEqual([[public_key, { addresses: allowed_ips, kbitPerSecond: 500 }]]);
    expect(framesOf(plane, "condition").at(-1)?.problem).toBeNull();
  });
});

test("an agent with no user and one with many send frames of the same number and size", async () => {
  const sizes = async (isBusy: boolean) => {
    const plane = await openPlane({ onProof: () => [snapshot(1, [1, 2, 3])] });
    const { driver } = await startAgent(plane, { reportIntervalMs: 20 });
    await appliedRevision(plane, 1);
    await eventually(() => expect(slotOf(plane, 3).ages).toBe(AGE_NONE));
    const [textsBefore, figuresBefore] = [plane.frames.length, plane.figures.length];
    const reportsAhead = reportsIn(plane.figures) - plane.healths.length;
    for (let round = 1; round <= 5; round++) {
      for (const number of isBusy ? [1, 2, 3] : []) useTunnel(driver, number, round * 123_456_789);
      const reports = plane.figures.length;
      await eventually(() => expect(plane.figures.length).toBeGreaterThan(reports));
      plane.send({ type: "close", batch: round });
      await eventually(() => expect(plane.figures.some((frame) => isBatch(frame, round))).toBe(true));
      plane.send({ type: "settled", incarnation: lastRoster(plane).incarnation, batch: round });
      await eventually(() => expect(lastRoster(plane).batch).toBe(round));
    }
    // Each report is followed by one frame of health.
    await eventually(() => expect(reportsIn(plane.figures) - plane.healths.length).toBe(reportsAhead));
    const texts = plane.frames.slice(textsBefore);
    const figures = plane.figures.slice(figuresBefore);
    return {
      texts: texts.map((frame) => `${frame.type} ${JSON.stringify({ ...frame, number: 0 }).length}`),
      figures: [...new Set(figures.map((frame) => `${frame.kind} ${encodeFigures(frame).length}`))].sort(),
    };
  };
  expect(await sizes(true)).toEqual(await sizes(false));
});

test("a batch stays as it was frozen until it is settled, whatever flows meanwhile", async () => {
  const plane = await openPlane({ onProof: () => [snapshot(1, [1])] });
  const { driver } = await startAgent(plane, { reportIntervalMs: 20 });
  await appliedRevision(plane, 1);
  useTunnel(driver, 1, 5_000_000);
  await eventually(() => expect(slotOf(plane, 1).received).toBe(5_000_000));
  plane.send({ type: "close", batch: 1 });
  await eventually(() => expect(plane.figures.filter((frame) => isBatch(frame, 1))).toHaveLength(1));
  useTunnel(driver, 1, 9_000_000);
  await eventually(() => expect(slotOf(plane, 1).received).toBe(9_000_000));
  plane.cut();
  await eventually(() => expect(plane.proofs()).toHaveLength(2));
  plane.send({ type: "close", batch: 1 });
  await eventually(() => expect(plane.figures.filter((frame) => isBatch(frame, 1))).toHaveLength(2));
  expect(plane.figures.filter((frame) => isBatch(frame, 1)).map(({ received }) => received[0])).toEqual([
    5_000_000, 5_000_000,
  ]);
  plane.send({ type: "close", batch: 7 });
  plane.send({ type: "settled", incarnation: lastRoster(plane).incarnation, batch: 1 });
  await eventually(() => expect(lastRoster(plane).batch).toBe(1));
  expect(decodeSettled(lastRoster(plane).settled, 1)?.received[0]).toBe(4 * 2 ** 20);
  expect(plane.figures.some((frame) => isBatch(frame, 7))).toBe(false);
});

test("a ledger that knows of a batch that the agent never froze makes it count anew", async () => {
  const plane = await openPlane({ onProof: () => [snapshot(1, [1])] });
  const { driver } = await startAgent(plane, { reportIntervalMs: 20 });
  await appliedRevision(plane, 1);
  useTunnel(driver, 1, 5_000);
  await eventually(() => expect(slotOf(plane, 1).received).toBe(5_000));
  const { incarnation } = lastRoster(plane);
  plane.send({ type: "settled", incarnation, batch: 9 });
  await eventually(() => expect(lastRoster(plane).incarnation).not.toBe(incarnation));
  useTunnel(driver, 1, 5_700);
  await eventually(() => expect(slotOf(plane, 1).received).toBe(700));
});
