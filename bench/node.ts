import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runOrThrow, temporaryDir } from "@securewave/testing";
import { type Peer, renderPeers } from "@securewave/wireguard";
import { connectUapi } from "@securewave/wireguard/uapi";
import type { Bench, BenchRun } from "./figure.ts";
import { cpuMs } from "./process-cost.ts";
import { openRawInterface, type RawInterface } from "./raw-wireguard.ts";
import { madeUpPeers, type Scene } from "./scene.ts";
import { median } from "./statistics.ts";
import type { VpnNode } from "./vpn-node.ts";
import { measureScrub } from "./zero-log.ts";

const PEERS = 10_000;
/** What differs: so many peers are missing on the interface, and as many strangers are on it. */
const DIFFERENT = 50;
const ROUNDS = 7;
const EMPTY_ROUNDS = 3;
/** wireguard-go makes a thousand peers a second at worst, on a busy machine. */
const WITHIN_MS = 180_000;

export const node: Bench = {
  name: "node",
  async measure(run) {
    const scene = await run.scene();
    if (scene === undefined) return run.leaveOut("node.* (all need a node)");
    await measureScrub(run);
    const peers = run.isQuick ? 200 : PEERS;
    run.progress(`  growing to ${peers} devices`);
    await scene.growTo(peers);
    const raw = await openRawInterface();
    try {
      await measureSync(scene, raw, run);
    } finally {
      await raw.close();
    }
  },
};

async function measureSync({ node }: Scene, raw: RawInterface, run: BenchRun): Promise<void> {
  const rounds = run.isQuick ? { different: 2, empty: 1 } : { different: ROUNDS, empty: EMPTY_ROUNDS };
  const { peers, different, empty } = await timeSyncs(node, raw, rounds, run.progress);
  run.report(
    {
      id: "node.full_sync_vs_wg",
      value: different.agentMs / different.syncconfMs,
      unit: "×",
      limit: 1,
      goal: "<=1.5",
      note: `${peers} peers, ${DIFFERENT} to be added and ${DIFFERENT} removed: ${HOW}`,
    },
    {
      id: "node.sync_ms",
      value: different.agentMs,
      unit: "ms",
      limit: different.syncconfMs,
      goal: null,
      note: "the same in milliseconds; limit: wg syncconf",
    },
    {
      id: "node.full_sync_empty_ms",
      value: empty.agentMs,
      unit: "ms",
      limit: empty.syncconfMs,
      goal: null,
      note: `${peers} peers onto an empty interface; limit: wg syncconf`,
    },
  );
}

/** What a sync's time is of. */
export const HOW = "the snapshot asked for, made, sent, applied and answered, over a spawned wg syncconf";

/** Medians. CPU is of wireguard-go, and of the agent or of `wg`. */
interface SyncTimes {
  readonly agentMs: number;
  readonly syncconfMs: number;
  readonly agentCpuMs: number;
  readonly syncconfCpuMs: number;
}

/**
 * An agent that was away while its interface changed, or became empty: it connects, is sent the whole state, and brings the
 * interface to it. Timed from its connection to its "applied", both as its log says; beside it the same change by `wg
 * syncconf`, in turns.
 */
export async function timeSyncs(
  node: VpnNode,
  raw: RawInterface,
  rounds: { readonly different: number; readonly empty: number },
  progress: BenchRun["progress"],
): Promise<{ peers: number; different: SyncTimes; empty: SyncTimes }> {
  const wanted = await readPeers(node);
  const before = [...wanted.slice(DIFFERENT), ...madeUpPeers(DIFFERENT)];
  await raw.fill(wanted);
  const [nodePid, rawPid] = [await wireguardPid(node.interfaceName), await wireguardPid(raw.name)];
  const inTurns = async (count: number, present: readonly Peer[]): Promise<SyncTimes> => {
    const costs = { agent: [] as Cost[], syncconf: [] as Cost[] };
    for (let round = 0; round < count; round++) {
      progress(`  sync of ${wanted.length} peers onto ${present.length}, round ${round + 1}`);
      costs.agent.push(await costOfResync(node, nodePid, present));
      await raw.timeSyncconf(present);
      const before = cpuMs([rawPid, process.pid]);
      const ms = await raw.timeSyncconf(wanted);
      costs.syncconf.push({ ms, cpu: cpuMs([rawPid, process.pid]) - before });
    }
    const mid = (of: "ms" | "cpu", all: readonly Cost[]) => median(all.map((cost) => cost[of]));
    return {
      agentMs: mid("ms", costs.agent),
      syncconfMs: mid("ms", costs.syncconf),
      agentCpuMs: mid("cpu", costs.agent),
      syncconfCpuMs: mid("cpu", costs.syncconf),
    };
  };
  const different = await inTurns(rounds.different, before);
  return { peers: wanted.length, different, empty: await inTurns(rounds.empty, []) };
}

interface Cost {
  readonly ms: number;
  readonly cpu: number;
}

async function costOfResync(node: VpnNode, wireguard: number, before: readonly Peer[]): Promise<Cost> {
  await node.stopAgent();
  // Else it would bring an empty interface back by itself, before it connects.
  if (before.length === 0) node.forgetState();
  using dir = temporaryDir("bench-node-before");
  const path = join(dir.path, "before.conf");
  writeFileSync(path, renderPeers(before), { mode: 0o600 });
  await runOrThrow("wg", ["syncconf", node.interfaceName, path], { timeoutMs: WITHIN_MS });
  const agent = await node.startAgent();
  await agent.waitForLine(/"connected"/, WITHIN_MS);
  const [connectedMs, cpu] = [performance.now(), cpuMs([wireguard, agent.pid])];
  await agent.waitForLine(/"applied"/, WITHIN_MS);
  return { ms: performance.now() - connectedMs, cpu: cpuMs([wireguard, agent.pid]) - cpu };
}

/** Of the wireguard-go that has an interface. */
export async function wireguardPid(interfaceName: string): Promise<number> {
  const { stdout } = await runOrThrow("pgrep", ["-f", `wireguard-go.*${interfaceName}`]);
  return Number(stdout.trim().split("\n")[0]);
}

async function readPeers({ interfaceName }: VpnNode): Promise<Peer[]> {
  const uapi = connectUapi(`/var/run/wireguard/${interfaceName}.sock`);
  try {
    const { peers } = await uapi.get();
    return peers.map(({ publicKey, presharedKey, allowedIps }) => ({
      publicKey,
      allowedIps,
      ...(presharedKey === undefined ? {} : { presharedKey }),
    }));
  } finally {
    uapi.close();
  }
}
