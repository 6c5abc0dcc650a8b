import {
  clusterRequirements,
  createApiWriters,
  openLoopbackCluster,
  openReplicas,
  SCENARIOS,
  tryScenario,
} from "@securewave/high-availability/loopback";
import type { Drill, Measured } from "../drill.ts";
import { demand } from "../parts/waiting.ts";

/** A planned one, and the machine of the leader lost at once. */
const FAULTS = ["switchover", "machine-lost"] as const;
const WRITERS = 2;
const PAUSE_MS = 50;

/** The whole cluster on the loopback: its database's lead goes over while the API is written to. */
export async function failover(drill: Drill): Promise<Measured> {
  const needs = clusterRequirements();
  demand(needs.ok, needs.ok ? "" : needs.reason);
  drill.step("three etcd, PostgreSQL under Patroni, HAProxy, Redis with Sentinel, two replicas of the API");
  const cluster = await opened(drill, openLoopbackCluster);
  const replicas = await opened(drill, () => openReplicas(cluster));
  let [acknowledged, lost, rtoSeconds] = [0, 0, 0];
  for (const name of FAULTS) {
    const scenario = SCENARIOS.find((known) => known.name === name);
    demand(scenario !== undefined, `there is no fault of the name ${name}`);
    drill.step(scenario.what);
    const writers = createApiWriters(cluster, replicas.accessToken, name, WRITERS);
    const stage = { cluster, replicas: replicas.parts };
    const { api } = await tryScenario(scenario, stage, { api: { writers, pauseMs: PAUSE_MS } });
    for (const writer of writers) await writer.close();
    drill.check(`${name}: of ${api.acknowledged} acknowledged writes none is lost`, api.lost === 0);
    drill.step(`${name}: nothing was acknowledged for ${api.downSeconds.toFixed(1)} s`);
    acknowledged += api.acknowledged;
    lost += api.lost;
    rtoSeconds = Math.max(rtoSeconds, api.downSeconds);
  }
  return { rtoSeconds, rpoSeconds: 0, acknowledged, lost };
}

/** Ends it with the drill, also when that ends while it is being opened. */
function opened<Opened extends { close(): Promise<void> }>(
  { closing }: Drill,
  open: () => Promise<Opened>,
): Promise<Opened> {
  demand(!closing.disposed, "the drill has ended");
  const opening = open();
  closing.defer(async () => {
    await (await opening.catch(() => undefined))?.close(); // what could not be opened has nothing to close
  });
  return opening;
}
