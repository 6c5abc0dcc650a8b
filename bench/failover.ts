import {
  clusterRequirements,
  createApiWriters,
  openLoopbackCluster,
  openReplicas,
  openSqlWriters,
  SCENARIOS,
  type Scenario,
  type Stage,
  tryScenario,
} from "@securewave/high-availability/loopback";
import type { Bench, BenchRun, Figure } from "./figure.ts";

const WRITERS = 4;
const API_PAUSE_MS = 20;
/** The planned one has a goal; how long a crash takes is set by Patroni's least `ttl`. */
const SWITCHOVER_SECONDS_MAX = 5;
const QUICK = ["switchover", "machine-lost", "redis-killed", "replica-killed"];

interface Tried {
  readonly scenario: Scenario;
  readonly acknowledged: number;
  readonly lost: number;
  readonly databaseSeconds: number;
  readonly apiSeconds: number;
}

/** Every fail-over under load: what was acknowledged and lost, and for how long nothing was acknowledged. */
export const failover: Bench = {
  name: "failover",
  async measure(run) {
    const needs = clusterRequirements();
    if (!needs.ok) return run.leaveOut(`failover.* (${needs.reason})`);
    const cluster = await openLoopbackCluster();
    try {
      run.progress(
        `  a cluster under Patroni ${cluster.patroniVersion}, etcd by ${cluster.plan.etcdInterface}`,
      );
      const replicas = await openReplicas(cluster);
      try {
        const stage = { cluster, replicas: replicas.parts };
        const scenarios = SCENARIOS.filter(({ name }) => !run.isQuick || QUICK.includes(name));
        const tried: Tried[] = [];
        for (const scenario of scenarios)
          tried.push(await tryOne(scenario, stage, replicas.accessToken, run));
        run.report(...figuresOf(tried));
      } finally {
        await replicas.close();
      }
    } finally {
      await cluster.close();
    }
  },
};

async function tryOne(scenario: Scenario, stage: Stage, accessToken: string, run: BenchRun): Promise<Tried> {
  const sql = await openSqlWriters(stage.cluster.databaseUrl, scenario.name, WRITERS);
  const api = createApiWriters(stage.cluster, accessToken, scenario.name, WRITERS);
  const results = await tryScenario(scenario, stage, {
    sql: { writers: sql },
    api: { writers: api, pauseMs: API_PAUSE_MS },
  });
  for (const writer of [...sql, ...api]) await writer.close();
  const tried = {
    scenario,
    acknowledged: results.sql.acknowledged + results.api.acknowledged,
    lost: results.sql.lost + results.api.lost,
    databaseSeconds: results.sql.downSeconds,
    apiSeconds: results.api.downSeconds,
  };
  run.progress(
    `  ${scenario.name}: ${tried.acknowledged} acknowledged, ${tried.lost} lost, down ${tried.databaseSeconds.toFixed(2)} s, by the API ${tried.apiSeconds.toFixed(2)} s`,
  );
  return tried;
}

function figuresOf(tried: readonly Tried[]): Figure[] {
  const sum = (of: (each: Tried) => number) => tried.reduce((total, each) => total + of(each), 0);
  const ofDatabase = tried.filter(({ scenario }) => scenario.hits === "database");
  const worst = (of: (each: Tried) => number, among: readonly Tried[]) => Math.max(0, ...among.map(of));
  const downOf = ({ databaseSeconds, apiSeconds }: Tried) => Math.max(databaseSeconds, apiSeconds);
  const seconds = { unit: "s", limit: null } as const;
  const planned = tried.find(({ scenario }) => scenario.name === "switchover");
  return [
    {
      id: "failover.acknowledged_lost",
      value: sum(({ lost }) => lost),
      unit: "writes",
      limit: sum(({ acknowledged }) => acknowledged),
      goal: "=0",
      note: `of all that was acknowledged in ${tried.length} faults; limit: how many that were`,
    },
    {
      id: "failover.down_s",
      value: worst(downOf, ofDatabase),
      ...seconds,
      goal: null,
      note: "the longest time without an acknowledged write, of all faults of the database",
    },
    ...(planned === undefined
      ? []
      : [
          {
            id: "switchover.down_s",
            value: downOf(planned),
            ...seconds,
            goal: `<=${SWITCHOVER_SECONDS_MAX}`,
            note: "the lead is handed over as planned",
          },
        ]),
    ...tried.map((each) => ({
      id: `failover.${each.scenario.name}.down_s`,
      value: each.apiSeconds,
      ...seconds,
      limit: each.databaseSeconds,
      goal: null,
      note: `${each.scenario.what}; by the API, limit: by the database alone; ${each.acknowledged} acknowledged, ${each.lost} lost`,
    })),
  ];
}
