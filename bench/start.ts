import { setTimeout as pause } from "node:timers/promises";
import { type TemporaryDir, temporaryDir } from "@securewave/testing";
import type { Bench, BenchRun, Figure } from "./figure.ts";
import { cpuMs, processTree, pssMb, rssMb } from "./process-cost.ts";
import type { Scene } from "./scene.ts";
import { openService, timeBareNode, timeStart } from "./service.ts";
import { median } from "./statistics.ts";

const STARTS = 5;
const DEVICES = 1000;
const MINUTE_MS = 60_000;

export const start: Bench = {
  name: "start",
  async measure(run) {
    run.report(...(await measureStarts(run)));
    run.report(...(await measureMemory(run)));
    const scene = await run.scene();
    if (scene === undefined) run.leaveOut("start.idle_cpu_ms_per_minute");
    else run.report(...(await measureIdle(scene, run)));
  },
};

async function measureStarts({ isQuick, progress }: BenchRun): Promise<Figure[]> {
  progress("  starting on fresh folders and on one that is there");
  const rounds = isQuick ? 2 : STARTS;
  const times = { first: [] as number[], again: [] as number[], bare: [] as number[] };
  const dirs: TemporaryDir[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const dir = temporaryDir("bench-start");
      dirs.push(dir);
      times.first.push(await timeOneStart(dir.path));
      times.again.push(await timeOneStart(dir.path));
      times.bare.push(await timeBareNode());
    }
  } finally {
    for (const dir of dirs) dir.remove();
  }
  const limit = median(times.bare);
  const note = "median from starting main.ts to a healthy /api/health";
  return [
    {
      id: "start.healthy_ms",
      value: median(times.again),
      unit: "ms",
      limit,
      goal: null,
      note: `${note}; limit: a Node that does nothing`,
    },
    {
      id: "start.first_ms",
      value: median(times.first),
      unit: "ms",
      limit,
      goal: null,
      note: `${note}, on a folder without a store`,
    },
  ];
}

async function timeOneStart(dataDir: string): Promise<number> {
  const started = await timeStart(dataDir);
  await started.stop();
  return started.healthyMs;
}

async function measureMemory({ isQuick, progress }: BenchRun): Promise<Figure[]> {
  progress("  memory after the first 100 requests");
  const service = await openService();
  try {
    const customer = await service.addCustomer();
    for (let request = 0; request < 100; request++) {
      const path = request % 2 === 0 ? "/api/vpn/devices" : "/api/service";
      await service.http.call("GET", path, customer.token);
    }
    await pause(isQuick ? 1000 : 5000);
    const [own = 0, ...postgres] = processTree(service.process.pid);
    const [program, store] = [rssMb(own), pssMb(postgres)];
    const value = program + store;
    return [
      {
        id: "start.rss_mb",
        value,
        unit: "MB",
        limit: null,
        goal: "<=150",
        note: "resident memory of the control plane and its PostgreSQL",
      },
      {
        id: "start.rss_node_mb",
        value: program,
        unit: "MB",
        limit: null,
        goal: null,
        note: "of which: Node, resident",
      },
      {
        id: "start.rss_postgres_mb",
        value: store,
        unit: "MB",
        limit: null,
        goal: null,
        note: `of which: ${postgres.length} PostgreSQL processes, proportional`,
      },
    ];
  } finally {
    await service.close();
  }
}

/** A minute without a request, with a node that reports as always. */
async function measureIdle(scene: Scene, { isQuick, progress }: BenchRun): Promise<Figure[]> {
  const devices = isQuick ? 50 : DEVICES;
  const waitMs = isQuick ? 6000 : MINUTE_MS;
  progress(`  ${devices} devices, then ${waitMs / 1000} s of idling`);
  await scene.growTo(devices);
  await pause(3000);
  const plane = () => cpuMs(processTree(scene.service.process.pid));
  const agent = () => cpuMs(processTree(scene.node.agent.pid));
  const before = { plane: plane(), agent: agent() };
  await pause(waitMs);
  const perMinute = (spentMs: number) => (spentMs * MINUTE_MS) / waitMs;
  return [
    {
      id: "start.idle_cpu_ms_per_minute",
      value: perMinute(plane() - before.plane),
      unit: "ms/min",
      limit: null,
      goal: null,
      note: `control plane and its PostgreSQL, ${devices} devices, one node connected`,
    },
    {
      id: "start.agent_idle_cpu_ms_per_minute",
      value: perMinute(agent() - before.agent),
      unit: "ms/min",
      limit: null,
      goal: null,
      note: "the node agent beside it, which reads the interface each 5 s",
    },
  ];
}
