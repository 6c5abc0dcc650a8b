import { api, type ResultOf } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Connections, rangeOf } from "@securewave/live";
import type { Demands } from "../../demands.ts";
import type { Mount } from "../../http/mount.ts";
import type { Telemetry } from "../../http/telemetry.ts";
import type { Security } from "../../security.ts";
import type { Accounts } from "../accounts/index.ts";
import type { ServiceHealth } from "../health/index.ts";
import type { ServiceMode } from "../maintenance/index.ts";
import type { Nodes } from "../nodes/index.ts";
import { POLICY_PATH } from "../privacy/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import type { ZeroLog } from "../zero-log/index.ts";

export interface ServiceOptions {
  readonly database: Database;
  readonly telemetry: Telemetry;
  readonly connections: Connections;
  readonly nodes: Nodes;
  readonly accounts: Accounts;
  readonly settings: SettingsStore;
  readonly policy: { readonly policyVersion: string; readonly policyUrl: string | undefined };
  readonly security: Pick<Security, "storeState" | "challenges">;
  readonly demands: Pick<Demands, "describe" | "isUnmet">;
  readonly zeroLog: Pick<ZeroLog, "trouble">;
  readonly serviceMode: Pick<ServiceMode, "notice">;
  readonly health: Pick<ServiceHealth, "troubles">;
}

const REDIS_TEXT = {
  up: "connected",
  down: "does not answer: each process limits for itself",
  none: "not used: live state is in this process",
};

type Health = ResultOf<typeof api.service.health>;

export function mountService(mount: Mount, options: ServiceOptions): void {
  const { database, telemetry, connections, nodes, accounts, settings, policy, security, demands } = options;

  async function isDatabaseUp(): Promise<boolean> {
    return database.ping().then(
      () => true,
      () => false,
    );
  }

  /** What is looked up at once is of one moment: state and text always agree. */
  function storesNow() {
    const state = security.storeState();
    const said = demands.describe();
    return {
      areWell: state !== "down" && !demands.isUnmet(),
      database: said.database ?? "connected",
      redis: said.redis ?? REDIS_TEXT[state ?? "none"],
    };
  }

  async function health(): Promise<Health> {
    const timestamp = new Date().toISOString();
    if (!(await isDatabaseUp())) {
      const checks = { database: "does not answer", redis: storesNow().redis, vpn_servers: "unknown" };
      return { status: "unhealthy", timestamp, checks };
    }
    const counts = await nodes.counts();
    const zeroLog = await options.zeroLog.trouble();
    const troubles = await options.health.troubles();
    const { areWell, ...stores } = storesNow();
    const isWell =
      areWell && counts.inTrouble === 0 && zeroLog === undefined && Object.keys(troubles).length === 0;
    return {
      status: isWell ? "healthy" : "degraded",
      timestamp,
      checks: {
        ...stores,
        vpn_servers: `${counts.healthy} of ${counts.nodes} available`,
        ...(zeroLog === undefined ? {} : { zero_log: zeroLog }),
        ...troubles,
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
    const [{ service_name: name, registration }, setup_needed, maintenance] = await Promise.all([
      settings.read(),
      accounts.isSetupNeeded(),
      options.serviceMode.notice(),
    ]);
    const { policyVersion: policy_version, policyUrl } = policy;
    const policy_url = policyUrl ?? POLICY_PATH;
    return {
      name,
      registration,
      setup_needed,
      policy_version,
      policy_url,
      ...(maintenance && { maintenance }),
    };
  });
}
