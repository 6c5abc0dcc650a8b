import { ApiError } from "@securewave/contracts";
import {
  clusterRequirements,
  createApiWriters,
  type LoopbackCluster,
  openLoopbackCluster,
  openReplicas,
  openSqlWriters,
  type Replicas,
  SCENARIOS,
  tryScenario,
} from "@securewave/high-availability/loopback";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildService } from "./control-plane.ts";

/** The others are tried by `npm run bench -- failover`. */
const TRIED = ["switchover", "machine-lost", "redis-killed", "replica-killed", "patroni-frozen"];
const START_MS = 240_000;
const needs = clusterRequirements();

describe.skipIf(!needs.ok)(needs.title("a highly available service under load"), () => {
  let cluster: LoopbackCluster;
  let replicas: Replicas;

  beforeAll(async () => {
    await buildService();
    cluster = await openLoopbackCluster();
    replicas = await openReplicas(cluster);
  }, START_MS);

  afterAll(async () => {
    await replicas?.close();
    await cluster?.close();
  }, START_MS);

  test.each(SCENARIOS.filter(({ name }) => TRIED.includes(name)))(
    "keeps all that it acknowledged, and answers again, when $what",
    async (scenario) => {
      const refusals: unknown[] = [];
      const sql = await openSqlWriters(cluster.databaseUrl, scenario.name, 2);
      const api = createApiWriters(cluster, replicas.accessToken, scenario.name, 2);
      const results = await tryScenario(
        scenario,
        { cluster, replicas: replicas.parts },
        {
          sql: { writers: sql, pauseMs: 5 },
          api: { writers: api, pauseMs: 50, onRefusal: (error) => refusals.push(error) },
        },
      );
      for (const writer of [...sql, ...api]) await writer.close();
      expect(results.sql.lost + results.api.lost).toBe(0);
      expect(Math.min(results.sql.acknowledged, results.api.acknowledged)).toBeGreaterThan(10);
      // What was not acknowledged was said to be so: when to ask again, or a connection that broke.
      for (const refusal of refusals) {
        expect(refusal).toBeInstanceOf(ApiError);
        const { status, retryAfterSeconds } = refusal as ApiError;
        expect([0, 503]).toContain(status);
        if (status === 503) expect(retryAfterSeconds).toBeGreaterThan(0);
      }
    },
    START_MS,
  );
});
