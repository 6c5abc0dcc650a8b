import { MINUTE_MS } from "@securewave/foundation";
import type { FastifyInstance } from "fastify";
import { defineClockedWork } from "./app/clocked-work.ts";
import { type AppOptions, createGround, type Ground } from "./app/ground.ts";
import { type Keys, openKeys } from "./app/keys.ts";
import { type Operations, openOperations } from "./app/operations.ts";
import { createPeople } from "./app/people.ts";
import { openRights } from "./app/rights.ts";
import { openServer } from "./app/server.ts";
import { openTunnelRoom } from "./app/tunnels.ts";
import { type Demands, watchDemands } from "./demands.ts";
import type { Telemetry } from "./http/telemetry.ts";
import type { Accounts } from "./modules/accounts/index.ts";
import type { Alerts } from "./modules/alerts/index.ts";
import type { Audit } from "./modules/audit/index.ts";
import type { DataKeys } from "./modules/data-keys/index.ts";
import type { Nodes } from "./modules/nodes/index.ts";
import type { Privacy } from "./modules/privacy/index.ts";
import { createSecurity, type Security } from "./security.ts";

export type { AppOptions };

export interface App {
  readonly server: FastifyInstance;
  readonly accounts: Accounts;
  readonly nodes: Nodes;
  readonly telemetry: Telemetry;
  readonly audit: Audit;
  readonly dataKeys: DataKeys;
  readonly privacy: Privacy;
  readonly demands: Demands;
  readonly alerts: Alerts;
  readonly operations: Operations;
  /** Begins the background work. */
  startJobs(): Promise<void>;
  /** Begins to measure, minute by minute, how the service is. */
  startMeasuring(): void;
  close(): Promise<void>;
}

/**
 * Wires the control plane on a migrated database, room after room; each stands on those before it. What a room opens
 * ends in the reverse order, also where a later one cannot be opened.
 */
export async function createApp(options: AppOptions): Promise<App> {
  await using opening = new AsyncDisposableStack();
  const ground = createGround(options, opening);
  const keys = await openKeys(ground, options.secrets);
  const security = openSecurity(ground, keys);
  const demands = watchDemands({ ...ground, security });
  opening.defer(demands.close);
  const people = createPeople(ground, keys, security);
  const tunnels = await openTunnelRoom(ground, keys, security, people, options);
  const rights = await openRights(ground, keys, people, tunnels, options);
  const operations = await openOperations(ground, keys, people, tunnels, rights, options);
  defineClockedWork(ground, keys, people, tunnels);
  opening.defer(ground.jobs.stop); // after the last request, which may queue one, and before all that a job uses
  const server = await openServer(
    ground,
    { keys, security, demands, people, tunnels, rights, operations },
    options,
  );
  await ground.bus.start();
  await rights.privacy.replay();

  const closing = opening.move();
  return {
    server,
    accounts: people.accounts,
    nodes: tunnels.nodes,
    telemetry: ground.telemetry,
    audit: keys.audit,
    dataKeys: keys.dataKeys,
    privacy: rights.privacy,
    demands,
    alerts: operations.alerts,
    operations,
    startMeasuring: () => operations.measuring.start(() => server.server.address()),
    async startJobs() {
      await ground.jobs.start();
      tunnels.startLedger();
      operations.alerts.start();
      await operations.backups.start();
    },
    close: () => closing.disposeAsync(),
  };
}

/** What stands in front of every request; the trail has each block that it made. */
function openSecurity(ground: Ground, { audit }: Keys): Security {
  const security = createSecurity({
    ...ground,
    onBlocked: ({ id, value, reason, since, until }) =>
      audit.recordLater({
        kind: "block_added",
        actor: "system",
        subject: id,
        details: { reason, minutes: Math.max(1, Math.round((until - since) / MINUTE_MS)) },
        origin: value,
      }),
  });
  ground.closing.defer(security.close);
  ground.telemetry.gauge("sentinel_blocked_ips_count", "Origins that are blocked", () =>
    security.blocklist.count(),
  );
  ground.telemetry.gauge("securewave_redis_down", "Whether a Redis is set up and does not answer", () =>
    security.storeState() === "down" ? 1 : 0,
  );
  return security;
}
