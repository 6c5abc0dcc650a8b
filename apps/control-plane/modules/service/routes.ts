import { api, type ResultOf } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Connections, rangeOf } from "@securewave/live";
import type { Mount } from "../../http/mount.ts";
import type { Telemetry } from "../../http/telemetry.ts";
import type { Security } from "../../security.ts";
import type { Accounts } from "../accounts/index.ts";
import type { Nodes } from "../nodes/index.ts";
import type { SettingsStore } from "../settings/index.ts";

export interface ServiceOptions {
  readonly database: Database;
  readonly telemetry: Telemetry;
  readonly connections: Connections;
  readonly nodes: Nodes;
  readonly accounts: Accounts;
  readonly settings: SettingsStore;
  readonly security: Pick<Security, "storeState" | "challenges">;
}

const REDIS_TEXT = {
  up: "connected",
  down: "does not answer: each process limits for itself",
  none: "not used: live state is in this process",
};

type Health = ResultOf<typeof api.service.health>;

export function mountService(mount: Mount, options: ServiceOptions): void {
  const { database, telemetry, connections, nodes, accounts, settings, security } = options;

  async function isDatabaseUp(): Promise<boolean> {
    return database.ping().then(
      () => true,
      () => false,
    );
  }

  async function health(): Promise<Health> {
    const isUp = await isDatabaseUp();
    const counts = isUp ? await nodes.counts() : undefined;
    const areNodesUp = counts !== undefined && counts.inTrouble === 0;
    return {
      status: !isUp ? "unhealthy" : areNodesUp && security.storeState() !== "down" ? "healthy" : "degraded",
      timestamp: new Date().toISOString(),
      checks: {
        database: isUp ? "connected" : "does not answer",
        redis: REDIS_TEXT[security.storeState() ?? "none"],
        vpn_servers: counts ? `${counts.healthy} of ${counts.nodes} available` : "unknown",
      },
    };
  }

  for (const route of [api.service.health, api.service.healthShort] as const) {
    mount(route, async ({ reply }) => {
      const result = await health();
      if (result.status === "unhealthy") reply.status(503);
      return result;
    });
  }
  mount(api.service.live, () => ({ status: "alive" }) as const);
  mount(api.service.ready, async ({ reply }) => {
    const isReady = await isDatabaseUp();
    if (!isReady) reply.status(503);
    return { status: isReady ? "ready" : "not_ready" } as const;
  });
  mount(api.service.metrics, () => {
    const { avgMs, p95Ms, p99Ms, cacheHitRate } = telemetry.recent();
    return {
      api_response_time_ms: { avg: avgMs, p95: p95Ms, p99: p99Ms },
      active_connections: rangeOf(connections.count()),
      database_connections: database.stats().open,
      cache_hit_rate: cacheHitRate,
    };
  });
  mount(api.challenges.issue, ({ query }) => ({ challenge: security.challenges.issue(query.purpose) }));
  mount(api.service.info, async () => {
    const [{ service_name: name, registration }, setup_needed] = await Promise.all([
      settings.read(),
      accounts.isSetupNeeded(),
    ]);
    return { name, registration, setup_needed };
  });
}
