import { randomBytes } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { decodeFigures, encodeFigures } from "@securewave/contracts/node-frames";
import { systemClock } from "@securewave/foundation";
import { createUsage, type Usage } from "@securewave/live";
import type { BenchRun } from "./figure.ts";
import { cpuTimed } from "./statistics.ts";

const PEERS = 100_000;
const NODES = 10;
const TICKS = 50;

/** Reports of 100,000 live peers, each of which used its tunnel in every tick. */
export async function measureIngest({ isQuick, progress, report }: BenchRun): Promise<void> {
  const peers = isQuick ? PEERS / 10 : PEERS;
  progress(`usage: reports of ${peers} live peers on ${NODES} nodes`);
  const emptyBytes = memoryInUse();
  const usage = createUsage({ clock: systemClock, steadyMs: () => 0 });
  for (let node = 0; node < NODES; node++) takeRoster(usage, node, peers / NODES);
  takeTick(usage, framesOf(peers / NODES, 1));
  const bytesPerPeer = (memoryInUse() - emptyBytes) / peers;

  let [ingestMs, loopMs, sum] = [0, 0, 0];
  for (let tick = 2; tick < TICKS + 2; tick++) {
    const frames = framesOf(peers / NODES, tick);
    ingestMs += await cpuTimed(() => takeTick(usage, frames));
    loopMs += await cpuTimed(() => {
      for (const frame of frames) sum += sumOf(frame);
    });
  }
  if (sum === 0 || usage.connections.count() !== peers) throw new Error("not every peer was taken in");
  const rates = { ingest: (peers * TICKS * 1000) / ingestMs, loop: (peers * TICKS * 1000) / loopMs };
  report(
    {
      id: "usage.ingest_vs_loop",
      value: rates.ingest / rates.loop,
      unit: "of the loop's rate",
      limit: 1,
      goal: null,
      note: `peers/s taken in, all of them in use: ${Math.round(rates.ingest)}; a bare loop over the same frames: ${Math.round(rates.loop)}; a tick of ${peers} takes ${(ingestMs / TICKS).toFixed(1)} ms of 5000`,
    },
    {
      id: "live.bytes_per_peer",
      value: bytesPerPeer,
      unit: "bytes",
      limit: null,
      goal: null,
      note: "memory for each live peer, with its key, its account and all its totals",
    },
  );
}

function takeRoster(usage: Usage, node: number, slots: number): void {
  const peers = Array.from({ length: slots }, () => randomBytes(32).toString("base64"));
  const none = new Float64Array(slots);
  const settled = { received: none, sent: none };
  const roster = { incarnation: `incarnation ${node}`, number: 1, batch: 0, peers, settled };
  usage.takeRoster(`node_${node}`, roster, () => `acct_${randomBytes(10).toString("hex")}`);
}

function takeTick(usage: Usage, frames: readonly Uint8Array[]): void {
  for (const [node, bytes] of frames.entries()) {
    const frame = decodeFigures(bytes);
    if (frame?.kind === "report") usage.takeReport(`node_${node}`, frame);
  }
}

function framesOf(slots: number, tick: number): Uint8Array[] {
  const received = Float64Array.from({ length: slots }, (_, slot) => tick * 1_000_003 + slot);
  const sent = Float64Array.from({ length: slots }, (_, slot) => tick * 9_000_011 + slot);
  const ages = Uint8Array.from({ length: slots }, (_, slot) => (tick * 5 + slot) % 120);
  const frame = { kind: "report", roster: 1, sequence: tick, received, sent, ages } as const;
  return Array.from({ length: NODES }, () => encodeFigures(frame));
}

/** The least that anybody who looks at every figure must do. */
function sumOf(bytes: Uint8Array): number {
  const frame = decodeFigures(bytes);
  if (frame?.kind !== "report") return 0;
  let sum = 0;
  for (let slot = 0; slot < frame.ages.length; slot++) {
    sum += (frame.received[slot] ?? 0) + (frame.sent[slot] ?? 0) + (frame.ages[slot] ?? 0);
  }
  return sum;
}

function memoryInUse(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  for (let time = 0; time < 3; time++) if (typeof collect === "function") collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
