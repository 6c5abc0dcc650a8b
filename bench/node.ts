import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runOrThrow, temporaryDir } from "@securewave/testing";
import { type Peer, renderPeers } from "@securewave/wireguard";
import { connectUapi } from "@securewave/wireguard/uapi";
import type { Bench, BenchRun } from "./figure.ts";
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

/**
 * An agent that was away while its interface changed: it connects, is sent the whole state, and brings the interface to
 * it. Timed from its connection to its "applied", both as its log says; the limit is the same change by `wg syncconf`.
 */
async function measureSync(
  { node }: Scene,
  raw: RawInterface,
  { isQuick, progress, report }: BenchRun,
): Promise<void> {
  const wanted = await readPeers(node);
  const before = [...wanted.slice(DIFFERENT), ...madeUpPeers(DIFFERENT)];
  const times = {
    agent: [] as number[],
    syncconf: [] as number[],
    agentEmpty: [] as number[],
    setAll: [] as number[],
  };
  await raw.fill(wanted);
  for (let round = 0; round < (isQuick ? 2 : ROUNDS); round++) {
    progress(`  resync of ${wanted.length} peers of which ${DIFFERENT} are missing, round ${round + 1}`);
    times.agent.push(await timeResync(node, before));
    await raw.timeSyncconf(before);
    times.syncconf.push(await raw.timeSyncconf(wanted));
  }
  for (let round = 0; round < (isQuick ? 1 : EMPTY_ROUNDS); round++) {
    progress(`  resync of ${wanted.length} peers onto an empty interface, round ${round + 1}`);
    times.agentEmpty.push(await timeResync(node, []));
    await raw.timeSyncconf([]);
    times.setAll.push(await raw.timeSyncconf(wanted));
  }
  const [agent, limit] = [median(times.agent), median(times.syncconf)];
  const change = `${wanted.length} peers, ${DIFFERENT} to be added and ${DIFFERENT} removed`;
  report(
    {
      id: "node.full_sync_vs_wg",
      value: agent / limit,
      unit: "×",
      limit: 1,
      goal: "<=1.5",
      note: `${change}: the snapshot asked for, made, sent, applied and answered, over a spawned wg syncconf`,
    },
    {
      id: "node.sync_ms",
      value: agent,
      unit: "ms",
      limit,
      goal: null,
      note: "the same in milliseconds; limit: wg syncconf",
    },
    {
      id: "node.full_sync_empty_ms",
      value: median(times.agentEmpty),
      unit: "ms",
      limit: median(times.setAll),
      goal: null,
      note: `${wanted.length} peers onto an empty interface; limit: wg syncconf`,
    },
  );
}

async function timeResync(node: VpnNode, before: readonly Peer[]): Promise<number> {
  await node.stopAgent();
  // Else it would bring an empty interface back by itself, before it connects.
  if (before.length === 0) node.forgetState();
  using dir = temporaryDir("bench-node-before");
  const path = join(dir.path, "before.conf");
  writeFileSync(path, renderPeers(before), { mode: 0o600 });
  await runOrThrow("wg", ["syncconf", node.interfaceName, path]);
  const agent = await node.startAgent();
  const connectedMs = await agent.waitForLine(/"connected"/).then(() => performance.now());
  await agent.waitForLine(/"applied"/);
  return performance.now() - connectedMs;
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
