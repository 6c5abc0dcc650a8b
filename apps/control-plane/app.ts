import { join } from "node:path";
import type { Database } from "@securewave/database";
import type { Clock } from "@securewave/foundation";
import { deriveKey } from "@securewave/foundation/derive";
import { createEnvelope } from "@securewave/foundation/envelope";
import { createJobs } from "@securewave/jobs";
import { createConnections, createPresence, floorOf } from "@securewave/live";
import type { FastifyInstance } from "fastify";
import { createBus } from "./bus.ts";
import { type Config, publicUrlOf } from "./config.ts";
import { addConsole } from "./http/console.ts";
import { createMount } from "./http/mount.ts";
import { addReference } from "./http/reference.ts";
import { createServer } from "./http/server.ts";
import { createTelemetry, type Telemetry } from "./http/telemetry.ts";
import { describeError, type Logger } from "./logger.ts";
import { type Accounts, createAccounts, mountAccounts } from "./modules/accounts/index.ts";
import {
  createDevices,
  createTunnels,
  gatewayAddresses,
  mountDevices,
  openAddressPool,
} from "./modules/devices/index.ts";
import { createMail } from "./modules/mail/index.ts";
import { createGateway, createNodes, mountNodes, type Nodes } from "./modules/nodes/index.ts";
import { mountService } from "./modules/service/index.ts";
import { loadServiceKey } from "./modules/service-keys/index.ts";
import { createAccessTokens, createSessions, mountSessions } from "./modules/sessions/index.ts";
import { createSettings, mountSettings } from "./modules/settings/index.ts";
import type { Secrets } from "./secrets.ts";

export interface AppOptions {
  readonly config: Config;
  readonly database: Database;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry?: Telemetry;
  /** The built console; pages are not served when it is not there. */
  readonly consoleDir: string;
  readonly version: string;
  /** How often an idle job worker looks for work, when not as often as usual. */
  readonly jobPollSeconds?: number;
}

export interface App {
  readonly server: FastifyInstance;
  readonly accounts: Accounts;
  readonly nodes: Nodes;
  readonly telemetry: Telemetry;
  /** Begins the background work. */
  startJobs(): Promise<void>;
  close(): Promise<void>;
}

/** Every night, when few are about. */
const CLEAN_UP_CRON = "17 3 * * *";

/** Wires the control plane on a migrated database. */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, database, secrets, clock, logger } = options;
  const { db } = database;
  const publicUrl = publicUrlOf(config);
  const pools = { v4: config.tunnels.poolV4, v6: config.tunnels.poolV6 };

  const telemetry = options.telemetry ?? createTelemetry(logger);
  const bus = createBus(database, (error) => logger.warn("bus_failed", describeError(error)));
  const jobs = createJobs(
    database,
    (job, error) => logger.error("job_failed", { job, ...describeError(error) }),
    {
      ...(options.jobPollSeconds === undefined ? {} : { pollSeconds: options.jobPollSeconds }),
    },
  );
  const envelope = createEnvelope(secrets.masterKeys);
  const presence = createPresence();
  const connections = createConnections({ clock });
  const identity = await loadServiceKey(db, envelope, "control-plane");
  await openAddressPool(database, pools);

  const settings = createSettings(db, bus);
  const mail = createMail({ ...config.mail, outboxDir: join(config.store.dir, "outbox") });
  const accounts = createAccounts({ database, clock, jobs, mail, settings, publicUrl });
  const { accessHours, refreshDays, jwtAlgorithm } = config.sessions;
  const tokenKey =
    jwtAlgorithm === "HS256"
      ? ({ algorithm: jwtAlgorithm, secret: secrets.jwtSecret } as const)
      : ({
          algorithm: jwtAlgorithm,
          privateKey: (await loadServiceKey(db, envelope, "access-token")).privateKey,
        } as const);
  const sessions = createSessions({
    database,
    clock,
    bus,
    accounts,
    telemetry,
    accessTokens: createAccessTokens(tokenKey, accessHours * 3600, clock),
    refreshKey: deriveKey(secrets.jwtSecret.reveal(), "refresh tokens"),
    refreshDays,
  });
  const nodes = createNodes({ database, clock, bus, presence, connections, identity });
  const tunnels = createTunnels({ pools, ...config.tunnels, masterKeys: secrets.masterKeys });
  const devices = createDevices({
    database,
    clock,
    bus,
    envelope,
    presence,
    connections,
    nodes,
    accounts,
    settings,
    tunnels,
    pools,
  });
  const gateway = createGateway({
    database,
    bus,
    presence,
    connections,
    identity,
    peers: devices.peers,
    tunnelInterface: { addresses: gatewayAddresses(pools), mtu: config.tunnels.mtu },
    logger,
  });

  telemetry.gauge(
    "securewave_nodes_connected",
    "Nodes connected to this process",
    () => presence.connectedNodes().length,
  );
  telemetry.gauge(
    "securewave_connections_floor",
    "Connected devices, rounded down to a range's lower end",
    () => floorOf(connections.count()),
  );
  telemetry.gauge(
    "securewave_database_connections",
    "Open connections to the database",
    () => database.stats().open,
  );

  const server = await createServer(config.http, logger);
  telemetry.observeRequests(server);
  const mount = createMount(server, sessions.authenticate);
  mountService(mount, { database, telemetry, connections, nodes, accounts, settings });
  mountSettings(mount, settings);
  mountAccounts(mount, accounts);
  mountSessions(mount, { sessions, accounts, refreshDays, isSecure: publicUrl.startsWith("https:") });
  mountNodes(mount, nodes, config.http.publicUrl);
  mountDevices(mount, devices);
  await addReference(server, options.version);
  await addConsole(server, options.consoleDir);
  server.server.on("upgrade", (request, socket, head) => {
    if (!gateway.handleUpgrade(request, socket, head)) socket.destroy();
  });

  jobs.define(
    "clean-up",
    async () => {
      await accounts.deleteExpired();
      await sessions.deleteExpired();
      await nodes.prune();
    },
    { cron: CLEAN_UP_CRON },
  );
  await bus.start();

  return {
    server,
    accounts,
    nodes,
    telemetry,
    startJobs: () => jobs.start(),
    async close() {
      gateway.close();
      await server.close();
      await jobs.stop();
      mail.close();
    },
  };
}
