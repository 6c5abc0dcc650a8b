import { givenSettings } from "../config.ts";
import { createAlerts, createHeartbeat } from "../modules/alerts/index.ts";
import { openBackups } from "../modules/backups/index.ts";
import { createBreaches } from "../modules/breaches/index.ts";
import { createDatabaseDesk } from "../modules/database/index.ts";
import { createDrills } from "../modules/drills/index.ts";
import { addFigures, createServiceHealth } from "../modules/health/index.ts";
import { createJobDesk } from "../modules/jobs/index.ts";
import { createNotices } from "../modules/notices/index.ts";
import type { AppOptions, Ground } from "./ground.ts";
import type { Keys } from "./keys.ts";
import type { People } from "./people.ts";
import type { Rights } from "./rights.ts";
import { openServiceLevels } from "./service-levels.ts";
import type { TunnelRoom } from "./tunnels.ts";

export type Operations = Awaited<ReturnType<typeof openOperations>>;

/** What keeps the service running: its jobs, backups, alerts, service levels, status page and drills. */
export async function openOperations(
  ground: Ground,
  keys: Keys,
  people: People,
  tunnels: TunnelRoom,
  rights: Rights,
  { version, backupWorker, migrationsDir }: AppOptions,
) {
  const { config, database, clock, jobs, logger, telemetry, publicUrl, closing } = ground;
  const { audit, keyRings } = keys;
  const { sessions, accounts, apiKeys, mail, settings } = people;
  const jobDesk = createJobDesk({ database, clock, jobs, audit, telemetry });
  const notices = createNotices({ database, clock, jobs, accounts, mail });
  const breaches = createBreaches({
    database,
    clock,
    audit,
    sessions,
    accounts,
    apiKeys,
    keyRings,
    nodes: tunnels.nodes,
    notices,
    onChanged: () => ground.bus.publish("registry-changed", "settings"),
  });
  const levels = openServiceLevels(ground, keys, people, tunnels, breaches.isOpen);
  const drills = createDrills({
    database,
    clock,
    audit,
    telemetry,
    key: await keys.serviceKey("drills"),
    name: `${new URL(publicUrl).host}/drills`,
  });
  addFigures({
    database,
    telemetry,
    publicUrl,
    dataDir: config.store.dir,
    jobsOverdue: async () => (await jobs.list()).filter(({ isOverdue }) => isOverdue).length,
  });
  const health = createServiceHealth({ telemetry, clock });
  const alerts = createAlerts({
    database,
    clock,
    audit,
    logger,
    telemetry,
    jobs,
    accounts,
    mail,
    settings,
    publicUrl,
    heartbeat: createHeartbeat(config.alerts.heartbeatUrl?.reveal()),
    isWanted: config.alerts.watch === "on",
  });
  closing.defer(alerts.close);
  const backups = await openBackups({
    ...ground,
    audit,
    version,
    command: backupWorker,
    vpn: {
      nodes: tunnels.nodes.directory,
      peersOf: tunnels.devices.peers.readKept,
      addresses: tunnels.addresses,
    },
    given: () => givenSettings(process.env),
  });
  closing.defer(backups.close);
  rights.searchBackups(backups.audited);
  const databaseDesk = createDatabaseDesk({ database, telemetry, migrationsDir });
  return { ...levels, databaseDesk, jobDesk, health, alerts, backups, breaches, drills };
}
