import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { missingServer } from "@securewave/database/testing-server";
import { ping, runOrThrow, temporaryDir } from "@securewave/testing";
import type { Peer, PublicKey } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { createUserspaceDriver } from "../apps/node-agent/drivers/userspace.ts";
import { createScrubber } from "../apps/node-agent/scrubber.ts";
import { openScrubberScene } from "../apps/node-agent/testing-scrubber.ts";
import { noTraces } from "../apps/node-agent/traces.ts";
import { isZeroLogPossible, openZeroLogScene, TALKATIVE_SERVICE } from "../e2e/zero-log-scene.ts";
import type { Bench, BenchRun } from "./figure.ts";
import { openRawInterface } from "./raw-wireguard.ts";
import { madeUpPeers, sceneRequirements } from "./scene.ts";
import { median, timed } from "./statistics.ts";
import { measureLeaks } from "./zero-log-leaks.ts";
import { measureOldLedgers } from "./zero-log-old-ledgers.ts";
import { measureSceneSearch, measureServiceSearch } from "./zero-log-search.ts";
import { measureTwins } from "./zero-log-twins.ts";

const PEERS = 10_000;
const ROUNDS = 5;
/** Peers in one `wg set`: each preshared key is a file, whose name makes the arguments long. */
const RAW_BATCH = 500;
/** The agent's. */
const TICK_MS = 5000;
/** WireGuard §6.1, REJECT_AFTER_TIME: before it a reset would cut off customers. */
const SESSION_SECONDS_MAX = 180;
const GONE_WITHIN_MS = 300_000;

export const zeroLog: Bench = {
  name: "zerolog",
  async measure(run) {
    await measureBackups(run);
    if (!sceneRequirements().ok) return run.leaveOut("zerolog.endpoint_gone_s (needs tunnels)");
    await measureEndpointGone(run);
    await (isZeroLogPossible ? measureProof(run) : measureWithoutStores(run));
  },
};

/** What somebody finds who has PostgreSQL's log and all backups. */
async function measureBackups(run: BenchRun): Promise<void> {
  const missing = missingServer();
  if (missing !== undefined)
    return run.leaveOut(`zerolog.twin_difference, zerolog.old_ledgers_opened (need ${missing})`);
  await measureTwins(run);
  await measureOldLedgers(run);
}

async function measureProof(run: BenchRun): Promise<void> {
  const scene = await openZeroLogScene({ env: TALKATIVE_SERVICE });
  try {
    await measureSceneSearch(run, scene);
    await measureLeaks(run, scene);
  } finally {
    await scene.close();
  }
}

async function measureWithoutStores(run: BenchRun): Promise<void> {
  run.leaveOut("zerolog.mutations_missed (needs Debian's PostgreSQL and Redis)");
  const scene = await run.scene();
  if (scene === undefined)
    return run.leaveOut("zerolog.surfaces_searched, zerolog.ghost_hits (need the scene)");
  await measureServiceSearch(run, scene);
}

/** A customer whose machine goes away in the midst of a session, by WireGuard's and the agent's real limits. */
async function measureEndpointGone({ isQuick, progress, report }: BenchRun): Promise<void> {
  progress("  waiting for a customer to be forgotten: some three minutes");
  const quickLimits = { idleSeconds: 5, halfHandshakeSeconds: 5, sweepSeconds: 0 };
  const scene = await openScrubberScene("userspace", isQuick ? quickLimits : {}, TICK_MS);
  try {
    const client = await scene.connect();
    if (!(await ping(scene.lab.customer, "10.8.0.1"))) throw new Error("the tunnel carries nothing");
    await scene.drop("all");
    const goneMs = performance.now();
    await scene.waitFor(
      ({ hasEndpoint, hasHandshake, bytes }) => !hasEndpoint && !hasHandshake && bytes === 0,
      GONE_WITHIN_MS,
    );
    while (/(?:10\.8\.0\.2|fd5e:)/.test(await scene.flows())) await pause(200);
    const seconds = (performance.now() - goneMs) / 1000;
    await client.down();
    report({
      id: "zerolog.endpoint_gone_s",
      value: seconds,
      unit: "s",
      limit: SESSION_SECONDS_MAX,
      goal: "<=240",
      note: "a customer's last packet until the node has no endpoint, handshake, counter or flow of it; limit: WireGuard's session",
    });
  } finally {
    await scene.close();
  }
}

/** All of 10,000 peers idle at once: the scrubber's ticks one after the other, and `wg set` doing the same in turns. */
export async function measureScrub({ isQuick, progress, report }: BenchRun): Promise<void> {
  const peers = madeUpPeers(isQuick ? 200 : PEERS);
  const raw = await openRawInterface();
  const driver = createUserspaceDriver();
  const times = { scrubber: [] as number[], wg: [] as number[] };
  try {
    await driver.open({ name: raw.name, privateKey: generateKeyPair().privateKey, listenPort: 0 });
    await raw.fill(peers);
    for (let round = 0; round < (isQuick ? 2 : ROUNDS); round++) {
      progress(`  scrub of ${peers.length} idle peers, round ${round + 1}`);
      times.scrubber.push(await timeScrub(driver, peers));
      times.wg.push(await timeRawReset(raw.name, peers));
    }
  } finally {
    driver.detach();
    await raw.close();
  }
  const [ours, limit] = [median(times.scrubber), median(times.wg)];
  report(
    {
      id: "node.scrub_vs_wg",
      value: ours / limit,
      unit: "×",
      limit: 1,
      goal: null,
      note: `${peers.length} idle peers found and made anew, over spawned wg set … remove, ${RAW_BATCH} peers each`,
    },
    {
      id: "node.scrub_ms",
      value: ours,
      unit: "ms",
      limit,
      goal: null,
      note: "the same in milliseconds; limit: wg set",
    },
  );
}

/** Milliseconds until all peers are forgotten. A scrubber that starts takes the old handshakes for what they are. */
async function timeScrub(
  driver: ReturnType<typeof createUserspaceDriver>,
  peers: readonly Peer[],
): Promise<number> {
  const byKey = new Map<PublicKey, Peer>(peers.map((peer) => [peer.publicKey, peer]));
  const left = new Set(byKey.keys());
  const scrubber = createScrubber({
    driver,
    traces: noTraces,
    peerOf: (publicKey) => byKey.get(publicKey),
    onForgotten: (publicKeys) => {
      for (const publicKey of publicKeys) left.delete(publicKey);
    },
    limits: { waitMs: GONE_WITHIN_MS },
  });
  return timed(async () => {
    while (left.size > 0) {
      const counters = Array.from(left, (publicKey) => ({
        publicKey,
        receivedBytes: 1,
        sentBytes: 1,
        lastHandshakeSeconds: 1,
        hasEndpoint: true,
      }));
      await scrubber.scrub({ peerCount: peers.length, counters });
    }
    await scrubber.stop();
  });
}

/** Milliseconds of the same by `wg`, with the files of the preshared keys made before. */
async function timeRawReset(name: string, peers: readonly Peer[]): Promise<number> {
  using dir = temporaryDir("bench-scrub");
  const calls: string[][] = [];
  for (let at = 0; at < peers.length; at += RAW_BATCH) {
    const args = peers.slice(at, at + RAW_BATCH).flatMap(({ publicKey, presharedKey, allowedIps }, index) => {
      const path = join(dir.path, `${at + index}`);
      writeFileSync(path, presharedKey ?? "", { mode: 0o600 });
      const again = ["peer", publicKey, "preshared-key", path, "allowed-ips", allowedIps.join(",")];
      return ["peer", publicKey, "remove", ...again];
    });
    calls.push(["set", name, ...args]);
  }
  return await timed(async () => {
    for (const args of calls) await runOrThrow("wg", args);
  });
}
