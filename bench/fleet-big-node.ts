/** One node with very many peers: a full sync, one change, its counters. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  type Agent,
  createAgent,
  createConnect,
  createCredential,
  createStateFile,
  createUserspaceDriver,
  noHost,
  noStateFile,
  signingKey,
  type WireGuardDriver,
} from "@securewave/node-agent";
import { freeUdpPort, randomSuffix, runOrThrow, temporaryDir } from "@securewave/testing";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import {
  NODE_ID,
  openTestPlane,
  peerSpec,
  TEST_INTERFACE,
  type TestPlane,
} from "../apps/node-agent/testing-plane.ts";
import type { BenchRun } from "./figure.ts";
import { openFleetRows } from "./fleet-rows.ts";
import { HOW, timeSyncs, wireguardPid } from "./node.ts";
import { cpuMs } from "./process-cost.ts";
import { openRawInterface } from "./raw-wireguard.ts";
import { openService } from "./service.ts";
import { cpuTimed, median, timed } from "./statistics.ts";
import { openNode } from "./vpn-node.ts";

const MANY = 20_000;
const QUICK_MANY = 400;
const FEW = 20;
const ROUNDS = { different: 3, empty: 3 };
const QUICK_ROUNDS = { different: 1, empty: 1 };
const BLOCKS = 12;
const QUICK_BLOCKS = 2;
/** Of a block, each an addition and a removal. */
const CHANGES = 50;
const READINGS = 15;
const FIRST_SYNC_WITHIN_MS = 180_000;
const NEVER_MS = 2 ** 31 - 1;

export async function measureBigNode(run: BenchRun): Promise<void> {
  const many = run.isQuick ? QUICK_MANY : MANY;
  const subjects = [await openSubject(FEW), await openSubject(many)] as const;
  try {
    await measureGrowth(subjects, run);
    await measureCounters(subjects[1], many, run);
  } finally {
    for (const subject of subjects) await subject.close();
  }
  await measureFullSync(many, run);
}

/** The real service and the real agent, over SQL-made devices. */
async function measureFullSync(many: number, run: BenchRun): Promise<void> {
  const { isQuick, progress, report } = run;
  progress(`  a node of ${many} peers`);
  const service = await openService();
  const rows = openFleetRows(service);
  const node = await openNode(service);
  const raw = await openRawInterface();
  try {
    await rows.fill([node.id], many);
    await service.kill();
    await service.startAgain();
    const deadline = performance.now() + FIRST_SYNC_WITHIN_MS;
    while ((await node.peers()).length < many) {
      if (performance.now() > deadline) throw new Error("the node has not got its peers");
      await pause(500);
    }
    const rounds = isQuick ? QUICK_ROUNDS : ROUNDS;
    const { peers, different, empty } = await timeSyncs(node, raw, rounds, progress);
    report(
      {
        id: "node.full_sync_20k_vs_wg",
        value: empty.agentMs / empty.syncconfMs,
        unit: "×",
        limit: 1,
        goal: "<=1.5",
        note: `${peers} peers onto an empty interface, ${empty.agentMs.toFixed(0)} and ${empty.syncconfMs.toFixed(0)} ms, of CPU ${empty.agentCpuMs} and ${empty.syncconfCpuMs} ms: ${HOW}`,
      },
      {
        id: "node.resync_20k_vs_wg",
        value: different.agentMs / different.syncconfMs,
        unit: "×",
        limit: 1,
        goal: null,
        note: `the same with 50 to be added and 50 removed, ${different.agentMs.toFixed(0)} and ${different.syncconfMs.toFixed(0)} ms, of CPU ${different.agentCpuMs} and ${different.syncconfCpuMs} ms`,
      },
    );
  } finally {
    await raw.close();
    await node.close();
    await rows[Symbol.asyncDispose]();
    await service.close();
  }
}

/** The agent's own code in this process, on wireguard-go, told by a control plane that only sends. */
interface Subject {
  readonly driver: WireGuardDriver;
  readonly interfaceName: string;
  readonly wireguardPid: number;
  /** Sends a change and resolves when the agent has applied and answered it. */
  change(upserts: readonly number[], removals: readonly number[]): Promise<void>;
  close(): Promise<void>;
}

async function openSubject(peers: number): Promise<Subject> {
  const interfaceName = `swb${randomSuffix()}`;
  const driver = createUserspaceDriver();
  let revision = 1;
  let onApplied = () => {};
  const applied = () =>
    new Promise<void>((resolve) => {
      onApplied = resolve;
    });
  const specs = Array.from({ length: peers }, (_, number) => peerOf(number));
  const plane: TestPlane = await openTestPlane({
    interface: { ...TEST_INTERFACE, listen_port: await freeUdpPort() },
    onProof: () => [{ type: "snapshot", revision, peers: specs }],
  });
  const agent: Agent = createAgent({
    driver,
    host: noHost,
    connect: createConnect({
      controlPlaneUrl: plane.url,
      nodeId: NODE_ID,
      credential: signingKey(createCredential().privateKey),
      controlPlaneKey: plane.key,
    }),
    stateFile: noStateFile,
    interfaceName,
    privateKey: generateKeyPair().privateKey,
    reportIntervalMs: NEVER_MS,
    log: (event) => {
      if (event === "applied") onApplied();
    },
  });
  const isFull = applied();
  await agent.start();
  await isFull;
  return {
    driver,
    interfaceName,
    wireguardPid: await wireguardPid(interfaceName),
    async change(upserts, removals) {
      const isDone = applied();
      const from = revision++;
      const gone = removals.map((number) => peerOf(number).public_key);
      plane.send({ type: "change", from, to: revision, upserts: upserts.map(peerOf), removals: gone });
      await isDone;
    },
    async close() {
      await agent.stop({ takeDown: true });
      await plane.close();
    },
  };
}

function peerOf(number: number) {
  return peerSpec(number, { presharedKey: number, address: number + 16 });
}

async function measureGrowth([few, many]: readonly [Subject, Subject], run: BenchRun): Promise<void> {
  const blocks = run.isQuick ? QUICK_BLOCKS : BLOCKS;
  run.progress(`  ${2 * blocks * CHANGES} changes on each`);
  const costs = { few: [] as Cost[], many: [] as Cost[] };
  for (let block = -1; block < blocks; block++) {
    const [ofFew, ofMany] = [await costOf(few), await costOf(many)];
    if (block < 0) continue; // warming up
    costs.few.push(ofFew);
    costs.many.push(ofMany);
  }
  const mid = (all: readonly Cost[], of: (cost: Cost) => number) => median(all.map(of));
  const [fewMs, manyMs] = [mid(costs.few, ({ ms }) => ms), mid(costs.many, ({ ms }) => ms)];
  const each = (all: readonly Cost[]) => mid(all, ({ cpu }) => cpu) / 2 / CHANGES;
  const [fewCpu, manyCpu] = [each(costs.few), each(costs.many)];
  run.report({
    id: "node.change_growth_20k",
    value: Math.max(manyMs / fewMs, manyCpu / fewCpu),
    unit: "×",
    limit: 1,
    goal: "<=1.3",
    note: `one device more or less, until the agent has applied and answered it, beside one at ${FEW}: the greater of time (${manyMs.toFixed(2)} and ${fewMs.toFixed(2)} ms) and CPU of agent and wireguard-go (each the middle one of the blocks, since a collection of Go's garbage after the first sync falls into some: ${manyCpu.toFixed(2)} and ${fewCpu.toFixed(2)} ms)`,
  });
}

/** Milliseconds: the median of a block's changes, and the CPU time of all of them together. */
interface Cost {
  readonly ms: number;
  readonly cpu: number;
}

async function costOf(subject: Subject): Promise<Cost> {
  const times: number[] = [];
  const before = cpuMs([subject.wireguardPid]);
  const own = await cpuTimed(async () => {
    for (let number = 0; number < CHANGES; number++) {
      const added = 40_000 + number;
      times.push(await timed(() => subject.change([added], [])));
      times.push(await timed(() => subject.change([], [added])));
    }
  });
  return { ms: median(times), cpu: own + cpuMs([subject.wireguardPid]) - before };
}

/** All peers have an endpoint, so that there is something to tell of each. */
async function measureCounters(
  { driver, interfaceName }: Subject,
  many: number,
  run: BenchRun,
): Promise<void> {
  run.progress(`  counters of ${many} peers`);
  using dir = temporaryDir("bench-endpoints");
  const path = join(dir.path, "endpoints.conf");
  const peers = await driver.read();
  const texts = peers.map(({ publicKey }) => `[Peer]\nPublicKey = ${publicKey}\nEndpoint = 127.0.0.1:9\n`);
  writeFileSync(path, texts.join(""));
  await runOrThrow("wg", ["addconf", interfaceName, path]);
  const times = { agent: [] as number[], cpu: [] as number[], dump: [] as number[] };
  let told = 0;
  for (let reading = -1; reading < READINGS; reading++) {
    let cpu = 0;
    const agent = await timed(async () => {
      cpu = await cpuTimed(async () => {
        told = (await driver.reports()).counters.length;
      });
    });
    const dump = await timed(() => runOrThrow("wg", ["show", interfaceName, "dump"]));
    if (reading < 0) continue; // warming up
    times.agent.push(agent);
    times.cpu.push(cpu);
    times.dump.push(dump);
  }
  const [agentMs, dumpMs] = [median(times.agent), median(times.dump)];
  run.report(
    {
      id: "node.counters_vs_wg",
      value: agentMs / dumpMs,
      unit: "×",
      limit: 1,
      goal: null,
      note: `read by the agent, ${agentMs.toFixed(0)} ms for ${told} peers that have an endpoint, of which ${median(times.cpu).toFixed(0)} ms are CPU time of its thread; limit: a spawned wg show dump, ${dumpMs.toFixed(0)} ms`,
    },
    await stateFileCost(peers, dir.path),
  );
}

/** What the agent does besides, a second after a change at the earliest and at most once a second. */
async function stateFileCost(peers: Awaited<ReturnType<WireGuardDriver["read"]>>, dir: string) {
  const file = createStateFile({
    path: join(dir, "state.json"),
    nodeId: NODE_ID,
    onError: (error) => {
      throw error;
    },
  });
  const costs: number[] = [];
  for (let round = 0; round < 5; round++) {
    file.save(() => ({
      revision: 1,
      interface: TEST_INTERFACE,
      hash: "0".repeat(64),
      peers,
      tiers: new Map(),
    }));
    costs.push(await cpuTimed(() => file.flush()));
  }
  return {
    id: "node.state_file_20k_cpu_ms",
    value: median(costs),
    unit: "ms",
    limit: null,
    goal: null,
    note: `CPU time of the agent's thread for writing ${peers.length} peers, at most once a second and in pieces`,
  };
}
