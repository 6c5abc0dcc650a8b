/** Many nodes come back after the control plane was killed; and single changes on their way to their nodes. */
import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import type { BenchRun } from "./figure.ts";
import { timeBareReturn } from "./fleet-bare.ts";
import { type FleetScene, openFleet } from "./fleet-scene.ts";
import { cpuMs, peakRssMb, processTree } from "./process-cost.ts";
import { inParallel, median, percentile, steadyMs } from "./statistics.ts";

const SIZE = { nodes: 500, devicesEach: 200 };
const QUICK_SIZE = { nodes: 20, devicesEach: 20 };
const STORMS = 3;
const IDLE_CHANGES = 400;
const QUICK_IDLE_CHANGES = 40;
/** In a storm so many ask for changes, each for one after the other. */
const STORM_CALLERS = 2;
const STORM_PAUSE_MS = 10;

export async function measureFleet(run: BenchRun): Promise<void> {
  const size = run.isQuick ? QUICK_SIZE : SIZE;
  const scene = await openFleet(size, run.progress);
  try {
    await measureIdleChanges(scene, run);
    await measureStorms(scene, size.nodes, run);
  } finally {
    await scene.close();
  }
}

/** One device made by the API, until it is in its node's driver. In milliseconds. */
interface Change {
  readonly fromCallMs: number;
  /** 0 where the node had it before the API's answer was here. */
  readonly fromAnswerMs: number;
}

async function change({ service, agents, nextCustomer }: FleetScene): Promise<Change> {
  const connected = agents.connected();
  const { token } = await nextCustomer();
  const { publicKey } = generateKeyPair();
  const body = {
    name: `device ${publicKey.slice(0, 16)}`,
    type: "phone",
    public_key: publicKey,
    server_id: connected[randomInt(connected.length)],
  };
  const calledMs = steadyMs();
  await service.http.call("POST", "/api/vpn/devices", token, body);
  const answeredMs = steadyMs();
  const arrivedMs = await agents.arrivalOf(publicKey);
  return { fromCallMs: arrivedMs - calledMs, fromAnswerMs: Math.max(0, arrivedMs - answeredMs) };
}

async function measureIdleChanges(scene: FleetScene, { isQuick, progress, report }: BenchRun): Promise<void> {
  const count = isQuick ? QUICK_IDLE_CHANGES : IDLE_CHANGES;
  progress(`  ${count} changes, one after the other`);
  const changes: Change[] = [];
  for (let number = 0; number < count; number++) changes.push(await change(scene));
  const fromCall = changes.map(({ fromCallMs }) => fromCallMs);
  const fromAnswer = changes.map(({ fromAnswerMs }) => fromAnswerMs);
  const note = "a device is made by the API, from the call until it is in its node's driver";
  const answer = (share: number) => percentile(fromAnswer, share).toFixed(2);
  report(
    {
      id: "fleet.change_p50_ms_idle",
      value: percentile(fromCall, 0.5),
      unit: "ms",
      limit: null,
      goal: null,
      note: `${note}; from the API's answer on ${answer(0.5)} ms`,
    },
    {
      id: "fleet.change_p99_ms_idle",
      value: percentile(fromCall, 0.99),
      unit: "ms",
      limit: null,
      goal: null,
      note: `the same; from the API's answer on ${answer(0.99)} ms`,
    },
  );
}

interface Storm {
  /** From the start of the process, and from its listening, until the last node was in sync. */
  readonly lastMs: number;
  readonly sinceListeningMs: number;
  readonly bareMs: number;
  readonly inSync: number;
  readonly peakMb: number;
  readonly cpuSeconds: number;
  readonly changes: readonly Change[];
  readonly refused: number;
}

async function measureStorms(
  scene: FleetScene,
  nodes: number,
  { isQuick, progress, report }: BenchRun,
): Promise<void> {
  const storms: Storm[] = [];
  for (let number = 1; number <= (isQuick ? 1 : STORMS); number++) {
    progress(`  storm ${number}`);
    storms.push(await storm(scene, nodes));
  }
  const mid = (of: (storm: Storm) => number) => median(storms.map(of));
  const changes = storms.flatMap((storm) => storm.changes);
  const refused = storms.reduce((sum, storm) => sum + storm.refused, 0);
  const fromAnswer = changes.map(({ fromAnswerMs }) => fromAnswerMs);
  const devices = await scene.countDevices();
  report(
    {
      id: "fleet.nodes_back",
      value: Math.min(...storms.map(({ inSync }) => inSync)),
      unit: "nodes",
      limit: nodes,
      goal: `=${nodes}`,
      note: `with the revision and the peers they should have, after each of ${storms.length} kills of the control plane; ${devices} devices`,
    },
    {
      id: "fleet.storm_last_in_sync_s",
      value: mid(({ lastMs }) => lastMs) / 1000,
      unit: "s",
      limit: mid(({ lastMs, sinceListeningMs, bareMs }) => lastMs - sinceListeningMs + bareMs) / 1000,
      goal: null,
      note: "from the start of the new process; limit: as many bare WebSockets, with the same pauses between attempts, to a server that listens as late",
    },
    {
      id: "fleet.storm_after_listening_s",
      value: mid(({ sinceListeningMs }) => sinceListeningMs) / 1000,
      unit: "s",
      limit: mid(({ bareMs }) => bareMs) / 1000,
      goal: null,
      note: "the same from the moment at which it listens",
    },
    {
      id: "fleet.storm_peak_mb",
      value: Math.max(...storms.map(({ peakMb }) => peakMb)),
      unit: "MB",
      limit: null,
      goal: null,
      note: "the control plane's process (VmHWM), from its start until all nodes are in sync; PostgreSQL is not in it",
    },
    {
      id: "fleet.storm_cpu_s",
      value: mid(({ cpuSeconds }) => cpuSeconds),
      unit: "s",
      limit: null,
      goal: null,
      note: "CPU time of the control plane and its PostgreSQL, from the start until the last node is in sync",
    },
    {
      id: "fleet.change_p99_ms_storm",
      value: percentile(fromAnswer, 0.99),
      unit: "ms",
      limit: null,
      goal: null,
      note: `${changes.length} devices made during the storms on nodes that were connected, from the API's answer until the driver; median ${percentile(fromAnswer, 0.5).toFixed(1)}, from the call on ${percentile(
        changes.map(({ fromCallMs }) => fromCallMs),
        0.99,
      ).toFixed(0)}; ${refused} were refused`,
    },
  );
}

async function storm(scene: FleetScene, nodes: number): Promise<Storm> {
  const { service, agents } = scene;
  const killedMs = steadyMs();
  await service.kill();
  const back = agents.nextSync();
  const { startedMs, listeningMs } = await service.startAgain();
  const asking = askForChanges(scene, back);
  const lastMs = Math.max(...(await back));
  const { pid } = service.process;
  const cpuSeconds = cpuMs(processTree(pid)) / 1000;
  const peakMb = peakRssMb(pid);
  const { changes, refused } = await asking;
  const inSync = await scene.countInSync();
  const bareMs = await timeBareReturn(nodes, listeningMs - killedMs);
  return {
    lastMs: lastMs - startedMs,
    sinceListeningMs: lastMs - listeningMs,
    bareMs,
    inSync,
    peakMb,
    cpuSeconds,
    changes,
    refused,
  };
}

/** Makes devices until all nodes are back. */
async function askForChanges(
  scene: FleetScene,
  back: Promise<unknown>,
): Promise<Pick<Storm, "changes" | "refused">> {
  const changes: Change[] = [];
  let isOver = false;
  let refused = 0;
  const end = () => {
    isOver = true;
  };
  back.then(end, end);
  await inParallel(STORM_CALLERS, STORM_CALLERS, async () => {
    while (!isOver) {
      await pause(STORM_PAUSE_MS);
      if (scene.agents.connected().length === 0) continue;
      await change(scene).then(
        (made) => changes.push(made),
        () => refused++,
      );
    }
  });
  return { changes, refused };
}
