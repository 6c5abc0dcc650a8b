import { type AgentFrame, REPORT_INTERVAL_SECONDS } from "@securewave/contracts/node-protocol";
import { createManualClock } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { createPeerSet } from "@securewave/wireguard/peer-set";
import { afterEach, expect, test } from "vitest";
import { type Agent, type AgentOptions, createAgent } from "./agent.ts";
import { createConnect } from "./connection.ts";
import { createCredential, signingKey } from "./credential.ts";
import { createMemoryDriver, type MemoryDriver } from "./drivers/memory.ts";
import { AgentError } from "./errors.ts";
import { noHost } from "./host.ts";
import { parsePeerSpec } from "./peer-spec.ts";
import { noStateFile, type SavedState, type StateFile } from "./state-file.ts";
import {
  createPlaneKeys,
  NODE_ID,
  openTestPlane,
  peerSpec,
  TEST_INTERFACE,
  type TestPlane,
} from "./testing-plane.ts";

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

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

test("reports come on the tick and name only peers with a live session", async () => {
  expect(REPORT_INTERVAL_SECONDS).toBe(5);
  const clock = createManualClock(1_700_000_000_000);
  const plane = await openPlane({ onProof: () => [snapshot(1, [1, 2])] });
  const { driver } = await startAgent(plane, { clock, reportIntervalMs: 20 });
  await appliedRevision(plane, 1);
  for (const [number, age] of [
    [1, 179],
    [2, 180],
  ] as const) {
    const publicKey = parsed(number).publicKey;
    const lastHandshakeSeconds = clock.now() / 1000 - age;
    driver.counters.set(publicKey, { publicKey, receivedBytes: 7, sentBytes: 9, lastHandshakeSeconds });
  }
  const peer = {
    public_key: peerSpec(1).public_key,
    received_bytes: 7,
    sent_bytes: 9,
    handshake_age_seconds: 179,
  };
  await eventually(() =>
    expect(framesOf(plane, "report").at(-1)).toEqual({ type: "report", connected: [peer], problem: null }),
  );
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
    expect(framesOf(plane, "report").at(-1)?.problem).toBe("The WireGuard interface is gone."),
  );
  expect(framesOf(plane, "applied")).toHaveLength(1);
  isGone = false;
  expect(await appliedRevision(plane, 2)).toMatchObject({ hash: hashOf([1, 2, 3]) });
  expect(driver.peers.size).toBe(3);
  await eventually(() => expect(framesOf(plane, "report").at(-1)?.problem).toBeNull());
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

interface Started {
  agent: Agent;
  driver: MemoryDriver;
}

async function openPlane(options: Parameters<typeof openTestPlane>[0] = {}): Promise<TestPlane> {
  const plane = await openTestPlane(options);
  cleanUps.push(() => plane.close().catch(() => undefined));
  return plane;
}

async function startAgent(
  plane: TestPlane,
  options: Partial<AgentOptions> & { driver?: MemoryDriver } = {},
): Promise<Started> {
  const driver = options.driver ?? createMemoryDriver();
  const agent = createAgent({
    host: noHost,
    stateFile: noStateFile,
    interfaceName: "sw0",
    privateKey: generateKeyPair().privateKey,
    connect: createConnect({
      controlPlaneUrl: plane.url,
      nodeId: NODE_ID,
      credential: signingKey(createCredential().privateKey),
      controlPlaneKey: plane.key,
      random: () => 0.5,
    }),
    ...options,
    driver,
  });
  cleanUps.push(() => agent.stop());
  await agent.start();
  return { agent, driver };
}

function snapshot(revision: number, numbers: number[]) {
  return { type: "snapshot" as const, revision, peers: numbers.map((number) => peerSpec(number)) };
}

function change(from: number, to: number, upserts: number[], removals: number[] = []) {
  return {
    type: "change" as const,
    from,
    to,
    upserts: upserts.map((number) => peerSpec(number)),
    removals: removals.map((number) => peerSpec(number).public_key),
  };
}

function parsed(number: number) {
  const peer = parsePeerSpec(peerSpec(number));
  if (peer === undefined) throw new Error("a test peer is a usable one");
  return peer;
}

function hashOf(numbers: number[]): string {
  return createPeerSet(numbers.map(parsed)).hash();
}

function keptState({ numbers, ...rest }: { revision: number; hash: string; numbers: number[] }): StateFile {
  const saved: SavedState = { ...rest, interface: TEST_INTERFACE, peers: numbers.map(parsed) };
  return { ...noStateFile, read: async () => saved };
}

function framesOf<Type extends AgentFrame["type"]>(plane: TestPlane, type: Type) {
  return plane.frames.filter((frame): frame is Extract<AgentFrame, { type: Type }> => frame.type === type);
}

function appliedRevision(plane: TestPlane, revision: number) {
  return eventually(
    () => {
      const applied = framesOf(plane, "applied").at(-1);
      expect(applied?.revision).toBe(revision);
      return applied;
    },
    { everyMs: 5 },
  );
}
