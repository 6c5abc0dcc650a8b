import { NODE_SOCKET_PATH } from "@securewave/contracts/node-protocol";
import { createPipeline } from "@securewave/sentinel";
import type { FastifyInstance } from "fastify";
import type { Demands } from "../demands.ts";
import { addConsole } from "../http/console.ts";
import { createCountryOf } from "../http/country.ts";
import { createGate } from "../http/gate.ts";
import { createMount, type Mount } from "../http/mount.ts";
import { createOriginOf } from "../http/own-origin.ts";
import { addReference } from "../http/reference.ts";
import { createServer, limitsOf } from "../http/server.ts";
import { mountUpgrade } from "../http/upgrades.ts";
import { mountAccounts } from "../modules/accounts/index.ts";
import { mountAlerts } from "../modules/alerts/index.ts";
import { mountApiKeys } from "../modules/api-keys/index.ts";
import { mountAudit } from "../modules/audit/index.ts";
import { mountBackups } from "../modules/backups/index.ts";
import { mountBlocks } from "../modules/blocks/index.ts";
import { mountBreaches } from "../modules/breaches/index.ts";
import { mountDatabase } from "../modules/database/index.ts";
import { mountDevices } from "../modules/devices/index.ts";
import { mountDrills } from "../modules/drills/index.ts";
import { mountHealth } from "../modules/health/index.ts";
import { addInstallFiles } from "../modules/install/index.ts";
import { mountJobs } from "../modules/jobs/index.ts";
import { mountKeyRings } from "../modules/key-rings/index.ts";
import { mountMaintenance } from "../modules/maintenance/index.ts";
import { mountNodeHealth } from "../modules/node-health/index.ts";
import { mountNodes } from "../modules/nodes/index.ts";
import { mountPasskeys } from "../modules/passkeys/index.ts";
import { mountPasswords } from "../modules/passwords/index.ts";
import { mountPlans } from "../modules/plans/index.ts";
import { addPolicyPage, mountPrivacy } from "../modules/privacy/index.ts";
import { mountSecondFactors } from "../modules/second-factors/index.ts";
import { mountServers } from "../modules/servers/index.ts";
import { mountService } from "../modules/service/index.ts";
import { mountSessions } from "../modules/sessions/index.ts";
import { mountSettings } from "../modules/settings/index.ts";
import { mountSla } from "../modules/sla/index.ts";
import { addStatusPage, mountStatus } from "../modules/status/index.ts";
import { mountUsage } from "../modules/usage/index.ts";
import { addZeroLogPage, mountZeroLog } from "../modules/zero-log/index.ts";
import type { Security } from "../security.ts";
import type { AppOptions, Ground } from "./ground.ts";
import type { Keys } from "./keys.ts";
import type { Operations } from "./operations.ts";
import type { People } from "./people.ts";
import type { Rights } from "./rights.ts";
import type { TunnelRoom } from "./tunnels.ts";

export interface Rooms {
  readonly keys: Keys;
  readonly security: Security;
  readonly demands: Demands;
  readonly people: People;
  readonly tunnels: TunnelRoom;
  readonly rights: Rights;
  readonly operations: Operations;
}

/** The server, with all that it answers: API, console, pages, and nodes' connections. It does not listen yet. */
export async function openServer(
  ground: Ground,
  rooms: Rooms,
  { version, consoleDir, tracing }: AppOptions,
): Promise<FastifyInstance> {
  const { config, clock, logger, telemetry, publicUrl, isSecure, closing } = ground;
  const { security, people, tunnels, rights, operations } = rooms;
  const pipeline = createPipeline({
    clock,
    originOf: security.originOf,
    headers: { isSecure, dataPaths: ["/api/"] },
    limits: limitsOf(config.http),
    hosts: security.hosts,
    cors: {
      origins: config.http.corsOrigins,
      exposedHeaders: ["ratelimit", "ratelimit-policy", "retry-after"],
    },
    reputation: security.reputation,
    blocklist: security.blocklist,
    rateLimit: security.global,
  });
  const server = await createServer(config.http, logger, pipeline, tracing);
  closing.defer(() => server.close());
  telemetry.observeRequests(server);
  operations.measuring.observeRequests(server);
  mountRoutes(
    createMount(
      server,
      createGate({ identify: people.identify, ...security, demandOpen: operations.serviceMode.demandOpen }),
    ),
    ground,
    rooms,
  );
  await addReference(server, version, isSecure);
  addZeroLogPage(server, rights.zeroLog, isSecure);
  addPolicyPage(server, isSecure);
  addStatusPage(server, operations.status, publicUrl, isSecure);
  addInstallFiles(server, tunnels.agentFiles, createOriginOf(config.http.publicUrl));
  await addConsole(server, consoleDir);
  mountUpgrade(server, NODE_SOCKET_PATH, { admit: security.admitNode, accept: tunnels.gateway.accept });
  closing.defer(tunnels.gateway.close); // before the server, which waits for open connections
  closing.defer(rights.zeroLog.close); // before it too: a search calls the server
  return server;
}

function mountRoutes(mount: Mount, { config, database, telemetry }: Ground, rooms: Rooms): void {
  const { keys, security, demands, people, tunnels, rights } = rooms;
  const { audit } = keys;
  const { accounts, sessions, passkeys, secondFactors, reauthenticate, settings } = people;
  const { privacy, zeroLog } = rights;
  const { blocklist, csrf } = security;
  const countryOf = createCountryOf(config.http.countryHeader, config.http.trustedProxies);

  mountService(mount, {
    database,
    telemetry,
    connections: tunnels.connections,
    nodes: tunnels.nodes,
    accounts,
    settings,
    policy: config.privacy,
    security,
    demands,
    zeroLog,
    serviceMode: rooms.operations.serviceMode,
    health: rooms.operations.health,
  });
  mountSettings(mount, settings);
  mountAccounts(mount, accounts);
  mountSessions(mount, { ...people, csrf, telemetry, demandLogIn: rooms.operations.serviceMode.demandLogIn });
  mountPasswords(mount, people.passwords, reauthenticate);
  mountSecondFactors(mount, {
    database,
    secondFactors,
    accounts,
    audit,
    reauthenticate,
    removePasskeys: passkeys.removeAll,
    endSessions: (accountId, actor) => sessions.endAll(accountId, { actor }),
  });
  mountPasskeys(mount, passkeys, reauthenticate);
  mountApiKeys(mount, people.apiKeys, reauthenticate);
  mountBlocks(mount, blocklist, audit, database);
  mountAudit(mount, audit);
  mountKeyRings(mount, keys.keyRings);
  mountNodes(mount, tunnels.nodes, createOriginOf(config.http.publicUrl));
  mountNodeHealth(mount, tunnels.nodes, tunnels.health);
  mountServers(mount, tunnels.servers, countryOf);
  mountDevices(mount, tunnels.devices, countryOf);
  mountPlans(mount, tunnels.plans);
  mountUsage(mount, tunnels.accountUsage);
  mountPrivacy(mount, { privacy, accounts, reauthenticate });
  mountZeroLog(mount, zeroLog);
  mountJobs(mount, rooms.operations.jobDesk);
  mountBackups(mount, rooms.operations.backups.backups);
  mountSla(mount, rooms.operations.sla);
  mountStatus(mount, rooms.operations.status, rooms.operations.incidents);
  mountMaintenance(mount, rooms.operations.serviceMode, rooms.operations.maintenance);
  mountHealth(mount, rooms.operations.health);
  mountAlerts(mount, rooms.operations.alerts);
  mountBreaches(mount, rooms.operations.breaches, reauthenticate);
  mountDrills(mount, rooms.operations.drills);
  mountDatabase(mount, rooms.operations.databaseDesk);
}
