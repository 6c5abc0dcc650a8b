import type { FiguresFrame } from "@securewave/contracts/node-frames";
import type { AgentFrame, RestrictedPeer } from "@securewave/contracts/node-protocol";
import { eventually } from "@securewave/testing/eventually";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { createPeerSet } from "@securewave/wireguard/peer-set";
import { expect, onTestFinished } from "vitest";
import { type Agent, createAgent } from "./agent.ts";
import type { AgentOptions } from "./agent-options.ts";
import { createConnect } from "./connection.ts";
import { createCredential, signingKey } from "./credential.ts";
import { createMemoryDriver, type MemoryDriver } from "./drivers/memory.ts";
import { noHost } from "./host.ts";
import { parsePeerSpec } from "./peer-spec.ts";
import { noStateFile, type SavedState, type StateFile } from "./state-file.ts";
import { NODE_ID, openTestPlane, peerSpec, TEST_INTERFACE, type TestPlane } from "./testing-plane.ts";

export interface Started {
  agent: Agent;
  driver: MemoryDriver;
}

export async function openPlane(options: Parameters<typeof openTestPlane>[0] = {}): Promise<TestPlane> {
  const plane = await openTestPlane(options);
  onTestFinished(() => plane.close().catch(() => undefined));
  return plane;
}

/** An agent of interfaces in memory only; it is stopped, and its control plane closed, when the test ends. */
export async function startAgent(
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
      random: () => 0.05,
    }),
    ...options,
    driver,
  });
  onTestFinished(() => agent.stop());
  await agent.start();
  return { agent, driver };
}

export function snapshot(revision: number, numbers: number[]) {
  return { type: "snapshot" as const, revision, peers: numbers.map((number) => peerSpec(number)) };
}

export function change(from: number, to: number, upserts: number[], removals: number[] = []) {
  return {
    type: "change" as const,
    from,
    to,
    upserts: upserts.map((number) => peerSpec(number)),
    removals: removals.map((number) => peerSpec(number).public_key),
  };
}

export function parsed(number: number) {
  const peer = parsePeerSpec(peerSpec(number));
  if (peer === undefined) throw new Error("a test peer is a usable one");
  return peer;
}

export function hashOf(numbers: number[]): string {
  return createPeerSet(numbers.map(parsed)).hash();
}

export function keptState({
  numbers,
  ...rest
}: {
  revision: number;
  hash: string;
  numbers: number[];
}): StateFile {
  const peers = numbers.map(parsed);
  const saved: SavedState = { ...rest, interface: TEST_INTERFACE, peers, tiers: new Map() };
  return { ...noStateFile, read: async () => saved };
}

export function framesOf<Type extends AgentFrame["type"]>(plane: TestPlane, type: Type) {
  return plane.frames.filter((frame): frame is Extract<AgentFrame, { type: Type }> => frame.type === type);
}

export function appliedRevision(plane: TestPlane, revision: number) {
  return eventually(
    () => {
      const applied = framesOf(plane, "applied").at(-1);
      expect(applied?.revision).toBe(revision);
      return applied;
    },
    { everyMs: 5 },
  );
}

/** The slots that the agent named, in order. */
export function rosterOf(plane: TestPlane): { number: number; keys: string[] } {
  let roster = { number: 0, keys: [] as string[] };
  for (const frame of plane.frames) {
    if (frame.type === "roster") roster = { number: frame.number, keys: [...frame.peers] };
    if (frame.type === "slots") roster = { number: frame.number, keys: [...roster.keys, ...frame.peers] };
  }
  return roster;
}

/** What the last report says of a peer. */
export function slotOf(plane: TestPlane, number: number) {
  const report = plane.figures.findLast((figures) => figures.kind === "report");
  const slot = rosterOf(plane).keys.indexOf(peerSpec(number).public_key);
  if (report?.kind !== "report" || slot < 0) return { received: -1, sent: -1, ages: -1 };
  return { received: report.received[slot], sent: report.sent[slot], ages: report.ages[slot] };
}

export function lastRoster(plane: TestPlane) {
  const roster = framesOf(plane, "roster").at(-1);
  if (!roster) throw new Error("the agent sent a roster");
  return roster;
}

export function reportsIn(figures: readonly FiguresFrame[]): number {
  return figures.filter(({ kind }) => kind === "report").length;
}

export function isBatch(frame: FiguresFrame, batch: number): boolean {
  return frame.kind === "batch" && frame.batch === batch;
}

export function useTunnel(driver: MemoryDriver, number: number, bytes: number): void {
  const { publicKey } = parsed(number);
  const lastHandshakeSeconds = Math.floor(Date.now() / 1000);
  driver.counters.set(publicKey, {
    publicKey,
    receivedBytes: bytes,
    sentBytes: bytes,
    lastHandshakeSeconds,
    hasEndpoint: true,
  });
}

export function tiers(...speeds: (readonly [tier: number, kbitPerSecond: number])[]) {
  return {
    type: "tiers" as const,
    speeds: speeds.map(([tier, kbit_per_second]) => ({ tier, kbit_per_second })),
  };
}

export function restrict(number: number, peers: RestrictedPeer[]) {
  return { type: "restrict" as const, number, peers };
}

export function blocked(number: number): RestrictedPeer {
  return { public_key: peerSpec(number).public_key, kind: "blocked" };
}

export function throttled(number: number, kbit_per_second: number): RestrictedPeer {
  return { public_key: peerSpec(number).public_key, kind: "throttled", kbit_per_second };
}
