import { join } from "node:path";
import { NODE_SOCKET_PATH } from "@securewave/contracts/node-protocol";
import type { Database } from "@securewave/database";
import { type Clock, MINUTE_MS } from "@securewave/foundation";
import { deriveKey } from "@securewave/foundation/derive";
import { createJobs } from "@securewave/jobs";
import { createPresence, createUsage, floorOf, shareLive } from "@securewave/live";
import { createPipeline } from "@securewave/sentinel";
import { createAccessTokens } from "@securewave/sentinel/tokens";
import { openWeakPasswords } from "@securewave/weak-passwords";
import type { FastifyInstance } from "fastify";
import { createBus } from "./bus.ts";
import { type Config, dataKeyPathsOf, ledgerKeyPathOf, publicUrlOf } from "./config.ts";
import { type Demands, watchDemands } from "./demands.ts";
import { addConsole } from "./http/console.ts";
import { createGate } from "./http/gate.ts";
import { createMount } from "./http/mount.ts";
import { addReference } from "./http/reference.ts";
import { createServer, limitsOf } from "./http/server.ts";
import { createTelemetry, type Telemetry } from "./http/telemetry.ts";
import { mountUpgrade } from "./http/upgrades.ts";
import { createLogInGuard } from "./log-in-guard.ts";
import { describeError, type Logger } from "./logger.ts";
import { type Accounts, createAccounts, mountAccounts } from "./modules/accounts/index.ts";
import { createApiKeys, mountApiKeys } from "./modules/api-keys/index.ts";
import { type Audit, createAudit, mountAudit } from "./modules/audit/index.ts";
import { mountBlocks } from "./modules/blocks/index.ts";
import { type DataKeys, openDataKeys } from "./modules/data-keys/index.ts";
import {
  createDevices,
  createTunnels,
  gatewayAddresses,
  mountDevices,
  openAddressPool,
} from "./modules/devices/index.ts";
import { mountKeyRings, openKeyRings } from "./modules/key-rings/index.ts";
import { createLetterLimits, createMail } from "./modules/mail/index.ts";
import {
  createGateway,
  createNodes,
  createPeerDirectory,
  mountNodes,
  type Nodes,
} from "./modules/nodes/index.ts";
import { createPasskeys, mountPasskeys } from "./modules/passkeys/index.ts";
import { createPasswords, mountPasswords } from "./modules/passwords/index.ts";
import { mountPlans, openPlans } from "./modules/plans/index.ts";
import {
  createDeletions,
  createPolicy,
  createPrivacy,
  createRequests,
  createUsageHistory,
  mountPrivacy,
  type Privacy,
} from "./modules/privacy/index.ts";
import { createSecondFactors, mountSecondFactors } from "./modules/second-factors/index.ts";
import { mountService } from "./modules/service/index.ts";
import { loadServiceKey } from "./modules/service-keys/index.ts";
import {
  createIdentify,
  createLifetime,
  createLogIn,
  createSessions,
  mountSessions,
} from "./modules/sessions/index.ts";
import { createSettings, mountSettings } from "./modules/settings/index.ts";
import {
  createAccountUsage,
  createRestrictions,
  createUsageNotices,
  insertLedgerRow,
  mountUsage,
  openLedger,
} from "./modules/usage/index.ts";
import { addZeroLogPage, createZeroLog, mountZeroLog } from "./modules/zero-log/index.ts";
import { createReauthenticate } from "./reauthenticate.ts";
import type { Secrets } from "./secrets.ts";
import { createSecurity } from "./security.ts";
import type { Tracing } from "./tracing/index.ts";
import { prepareAudit } from "./zero-log-order.ts";

export interface AppOptions {
  readonly config: Config;
  readonly database: Database;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry?: Telemetry;
  /** Makes spans of requests and queries; none where it is left out. */
  readonly tracing?: Tracing | undefined;
  /** The built console; pages are not served when it is not there. */
  readonly consoleDir: string;
  readonly version: string;
  /** How often an idle job worker looks for work, when not as often as usual. */
  readonly jobPollSeconds?: number;
  /** The program that searches for traces, with its arguments; without it, none can be searched for. */
  readonly auditor?: readonly string[];
  /** Another queue than pg-boss's, which goes by the machine's clock. */
  readonly createJobs?: typeof createJobs;
}

export interface App {
  readonly server: FastifyInstance;
  readonly accounts: Accounts;
  readonly nodes: Nodes;
  readonly telemetry: Telemetry;
  readonly audit: Audit;
  readonly dataKeys: DataKeys;
  readonly privacy: Privacy;
  readonly demands: Demands;
  /** Begins the background work. */
  startJobs(): Promise<void>;
  close(): Promise<void>;
}

/** Every night, when few are about. */
const CLEAN_UP_CRON = "17 3 * * *";
/** What was done within the hour stands under a signature. */
const CHECKPOINT_CRON = "5 * * * *";
const ISSUER = "securewave";
const AUDIENCE = "securewave-api";

/** Wires the control plane on a migrated database. */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, database, secrets, clock, logger } = options;
  const { db } = database;
  const publicUrl = publicUrlOf(config);
  const pools = { v4: config.tunnels.poolV4, v6: config.tunnels.poolV6 };

  const telemetry = options.telemetry ?? createTelemetry(logger);
  const bus = createBus(database, (error) => logger.warn("bus_failed", describeError(error)));
  const jobs = (options.createJobs ?? createJobs)(
    database,
    (job, error) => logger.error("job_failed", { job, ...describeError(error) }),
    {
      ...(options.jobPollSeconds === undefined ? {} : { pollSeconds: options.jobPollSeconds }),
    },
  );
  const presence = createPresence();
  const usage = createUsage({ clock, lineGbitPerSecond: config.nodeLineGbit });
  const { connections } = usage;
  const isSecure = publicUrl.startsWith("https:");
  const { accessHours, jwtAlgorithm } = config.sessions;
  const baseSecret = secrets.jwtSecret.reveal();

  let audit: Audit | undefined;
  const onTrouble = (error: unknown) => logger.error("background_failed", describeError(error));
  const keyRings = await openKeyRings({
    database,
    clock,
    bus,
    jobs,
    secrets,
    algorithm: jwtAlgorithm,
    accessHours,
    onTrouble,
    record: async (trx, what, actor) => {
      await audit?.record(trx, { kind: "keys_rotated", actor, subject: "service", details: { what } });
    },
  });
  const { envelope } = keyRings;
  const { dataKeys, file: dataKeyFile } = await openDataKeys({
    database,
    envelope,
    paths: dataKeyPathsOf(config),
  });
  const identity = await loadServiceKey(db, envelope, "control-plane");
  await openAddressPool(database, pools);
  audit = createAudit({
    database,
    clock,
    key: await loadServiceKey(db, envelope, "audit-trail"),
    origin: `${new URL(publicUrl).host}/audit`,
    archiveDir: join(config.store.dir, "audit-archive"),
    retentionDays: config.auditRetentionDays,
    onError: onTrouble,
  });
  const trail = audit;

  const security = createSecurity({
    config,
    clock,
    logger,
    telemetry,
    secret: baseSecret,
    onBlocked: ({ id, value, reason, since, until }) =>
      trail.recordLater({
        kind: "block_added",
        actor: "system",
        subject: id,
        details: { reason, minutes: Math.max(1, Math.round((until - since) / MINUTE_MS)) },
        origin: value,
      }),
  });
  const demands = watchDemands({ config, database, logger, telemetry, security });
  const { blocklist, failures, csrf } = security;
  const settings = createSettings({ database, bus, audit: trail });
  const plans = await openPlans({ database, bus, audit: trail, onTrouble });
  const mail = createMail({ ...config.mail, outboxDir: join(config.store.dir, "outbox") });
  const weakPasswords = openWeakPasswords(config.breachedPath ? { breachedPath: config.breachedPath } : {});
  const policy = createPolicy({ database, clock, version: config.privacy.policyVersion });
  const accounts = createAccounts({
    database,
    insertLedgerRow,
    noteAgreement: policy.noteRegistration,
    dataKeys,
    clock,
    jobs,
    mail,
    settings,
    audit: trail,
    publicUrl,
    weakPasswords,
    letterLimits: createLetterLimits({
      clock,
      limits: security.global.limits,
      key: deriveKey(baseSecret, "letter recipients"),
    }),
  });
  const guard = createLogInGuard({
    failures,
    blocklist,
    audit: trail,
    telemetry,
    key: deriveKey(baseSecret, "log-in subjects"),
  });
  const { notify } = accounts;
  const secondFactors = createSecondFactors({
    database,
    dataKeys,
    clock,
    envelope,
    audit: trail,
    settings,
    notify,
  });
  const reauthenticate = createReauthenticate({
    database,
    accounts,
    demandFactor: secondFactors.demand,
    guard,
  });
  const passkeys = createPasskeys({
    notify,
    database,
    dataKeys,
    clock,
    accounts,
    audit: trail,
    settings,
    guard,
    key: deriveKey(baseSecret, "passkey challenges"),
    publicUrl,
  });
  const accessTokens = createAccessTokens({
    issuer: ISSUER,
    audience: AUDIENCE,
    lifeSeconds: accessHours * 3600,
    clock,
    keys: keyRings.signingKeys,
  });
  const apiKeys = createApiKeys({
    database,
    dataKeys,
    clock,
    bus,
    audit: trail,
    notify,
    daysMax: config.apiKeyDaysMax,
  });
  const lifetime = createLifetime(clock, config.sessions);
  const { identify, cookies } = createIdentify({
    database,
    clock,
    bus,
    lifetime,
    telemetry,
    accessTokens,
    csrf,
    identifyApiKey: apiKeys.identify,
    isSecure,
  });
  const sessions = createSessions({
    database,
    clock,
    bus,
    accounts,
    audit: trail,
    accessTokens,
    cookies,
    refreshKey: deriveKey(baseSecret, "refresh tokens"),
    lifetime,
  });
  const logIn = createLogIn({ database, accounts, secondFactors, guard, telemetry });
  const passwords = createPasswords({
    database,
    clock,
    jobs,
    mail,
    settings,
    accounts,
    secondFactors,
    audit: trail,
    publicUrl,
  });
  const nodes = createNodes({ database, clock, bus, audit: trail, presence, connections, identity });
  usage.listen({
    distrusted: (nodeId, why) => void nodes.quarantine(nodeId, why).catch(onTrouble),
    trusted: (nodeId) => void nodes.countsAnew(nodeId).catch(onTrouble),
  });
  const sharing = security.sharedStore && shareLive({ channel: security.sharedStore, usage, presence });
  const directory = createPeerDirectory();
  const tunnels = createTunnels({ pools, ...config.tunnels, masterKeys: keyRings.encryptionKeys });
  const devices = createDevices({
    database,
    dataKeys,
    clock,
    bus,
    audit: trail,
    envelope,
    presence,
    connections,
    nodes,
    accounts,
    settings,
    plans,
    tunnels,
    pools,
  });
  const usageHistory = createUsageHistory({ database, dataKeys, clock, bus, audit: trail });
  const usageNotices = createUsageNotices({
    clock,
    mail,
    settings,
    publicUrl,
    planOf: plans.planOf,
    findAmongAll: accounts.findAmongAll,
    onTrouble,
  });
  const openedLedger = await openLedger({
    database,
    clock,
    bus,
    jobs,
    keyFile: ledgerKeyPathOf(config),
    flushAt: config.ledger.flushAt,
    usage,
    history: usageHistory,
    notices: usageNotices,
    onTrouble: (trouble, cause) =>
      logger.error("ledger_trouble", { code: trouble, ...(cause === undefined ? {} : describeError(cause)) }),
    onReloaded: () => usage.marksChanged(),
  });
  const { ledger } = openedLedger;
  usage.useMarks(ledger.markOf);
  usage.useMonth(ledger.monthOfUse);
  const restrictions = createRestrictions({
    clock,
    plans,
    usage: { used: ledger.usedThisMonth, forEachUsed: ledger.forEachUsed, onUsed: usage.onUsed },
    connections: usage,
    peers: directory,
  });
  ledger.onChanged(restrictions.reviewAll);
  const accountUsage = createAccountUsage({
    clock,
    database,
    audit: trail,
    planOf: plans.planOf,
    used: ledger.usedThisMonth,
    accounts,
  });
  const gateway = createGateway({
    database,
    bus,
    presence,
    usage,
    directory,
    restrictions,
    identity,
    peers: devices.peers,
    tunnelInterface: { addresses: gatewayAddresses(pools), mtu: config.tunnels.mtu },
    logger,
  });

  const privacy = createPrivacy({
    database,
    clock,
    accounts,
    audit: trail,
    sessions: { list: (accountId, page) => sessions.list(accountId, "", page) },
    devices,
    apiKeys,
    passkeys,
    secondFactors,
    plans,
    usageOf: accountUsage.own,
    history: usageHistory,
    policy,
    requests: createRequests({ database, dataKeys, clock, audit: trail }),
    deletions: createDeletions({
      database,
      dataKeys,
      clock,
      jobs,
      bus,
      audit: trail,
      accounts,
      mail,
      settings,
      graceDays: config.privacy.deletionGraceDays,
      onTrouble,
    }),
  });

  const [nodeAddress = ""] = gatewayAddresses(pools);
  const audited = {
    config,
    database,
    accounts,
    sessions,
    nodes,
    privacy,
    version: options.version,
    gateway: nodeAddress,
  };
  const zeroLog = createZeroLog({
    database,
    clock,
    jobs,
    logger,
    telemetry,
    key: await loadServiceKey(db, envelope, "zero-log"),
    name: `${new URL(publicUrl).host}/zero-log`,
    command: options.auditor,
    prepare: (isQuick) => prepareAudit(audited, isQuick),
  });

  telemetry.gauge(
    "securewave_nodes_connected",
    "Nodes connected to this process",
    () => presence.ownNodes().length,
  );
  telemetry.gauge(
    "securewave_nodes_quarantined",
    "Nodes that reported what cannot be, and are not trusted again yet",
    () => usage.distrusted().size,
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

  telemetry.gauge("sentinel_blocked_ips_count", "Origins that are blocked", () => blocklist.count());

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
    blocklist,
    rateLimit: security.global,
  });
  const server = await createServer(config.http, logger, pipeline, options.tracing);
  telemetry.observeRequests(server);
  const mount = createMount(server, createGate({ identify, ...security }));
  mountService(mount, {
    database,
    telemetry,
    connections,
    nodes,
    accounts,
    settings,
    policy: config.privacy,
    security,
    demands,
    zeroLog,
  });
  mountSettings(mount, settings);
  mountAccounts(mount, accounts);
  mountSessions(mount, {
    sessions,
    logIn,
    accounts,
    passkeys,
    csrf,
    identify,
    cookies,
    telemetry,
  });
  mountPasswords(mount, passwords, reauthenticate);
  mountSecondFactors(mount, {
    database,
    secondFactors,
    accounts,
    audit: trail,
    reauthenticate,
    removePasskeys: passkeys.removeAll,
    endSessions: (accountId, actor) => sessions.endAll(accountId, { actor }),
  });
  mountPasskeys(mount, passkeys, reauthenticate);
  mountApiKeys(mount, apiKeys, reauthenticate);
  mountBlocks(mount, blocklist, trail, database);
  mountAudit(mount, trail);
  mountKeyRings(mount, keyRings);
  mountNodes(mount, nodes, config.http.publicUrl);
  mountDevices(mount, devices);
  mountPlans(mount, plans);
  mountUsage(mount, accountUsage);
  mountPrivacy(mount, { privacy, accounts, reauthenticate });
  mountZeroLog(mount, zeroLog);
  await addReference(server, options.version, isSecure);
  addZeroLogPage(server, zeroLog, isSecure);
  await addConsole(server, options.consoleDir);
  mountUpgrade(server, NODE_SOCKET_PATH, { admit: security.admitNode, accept: gateway.accept });

  jobs.define(
    "clean-up",
    async () => {
      await accounts.deleteExpired();
      await sessions.deleteExpired();
      await apiKeys.deleteExpired();
      await secondFactors.deleteExpired();
      await nodes.prune();
      await keyRings.deleteRetired();
      await trail.archiveOld();
    },
    { cron: CLEAN_UP_CRON },
  );
  jobs.define("audit-checkpoint", async () => void (await trail.sign()), { cron: CHECKPOINT_CRON });
  await bus.start();
  await privacy.replay();

  return {
    server,
    accounts,
    nodes,
    telemetry,
    audit: trail,
    dataKeys,
    privacy,
    demands,
    async startJobs() {
      await jobs.start();
      openedLedger.start();
    },
    async close() {
      await zeroLog.close();
      sharing?.close();
      gateway.close();
      await server.close();
      await jobs.stop();
      usageNotices.close();
      mail.close();
      await trail.close();
      restrictions.close();
      openedLedger.close();
      keyRings.close();
      dataKeyFile.close();
      weakPasswords.close();
      demands.close();
      await security.close();
    },
  };
}
