import { createPresence, createUsage, floorOf, shareLive } from "@securewave/live";
import { ledgerKeyPathOf } from "../config.ts";
import { describeError } from "../logger.ts";
import {
  createDevices,
  createTunnels,
  defineDrainJobs,
  defineKeyUpkeep,
  gatewayAddresses,
  openAddressPool,
} from "../modules/devices/index.ts";
import { createAgentFiles } from "../modules/install/index.ts";
import { createHealth, openProbing } from "../modules/node-health/index.ts";
import {
  createCloning,
  createGateway,
  createNodes,
  createPeerDirectory,
  defineClonedLetter,
} from "../modules/nodes/index.ts";
import { openPlans } from "../modules/plans/index.ts";
import { createUsageHistory } from "../modules/privacy/index.ts";
import { createServers } from "../modules/servers/index.ts";
import {
  createAccountUsage,
  createRestrictions,
  createUsageNotices,
  openLedger,
} from "../modules/usage/index.ts";
import type { Security } from "../security.ts";
import type { AppOptions, Ground } from "./ground.ts";
import type { Keys } from "./keys.ts";
import type { People } from "./people.ts";

export type TunnelRoom = Awaited<ReturnType<typeof openTunnelRoom>>;

/** Nodes and devices; who is connected, in memory; what is used, in the ledger; and what that allows. */
export async function openTunnelRoom(
  ground: Ground,
  keys: Keys,
  security: Security,
  people: People,
  { agentDir, probeEveryMs, version }: Pick<AppOptions, "agentDir" | "probeEveryMs" | "version">,
) {
  const { config, database, clock, bus, jobs, logger, telemetry, pools, publicUrl, onTrouble, closing } =
    ground;
  const { audit, dataKeys, envelope, identity, keyRings } = keys;
  const { accounts, settings, mail } = people;

  const presence = createPresence();
  const usage = createUsage({ clock, lineGbitPerSecond: config.nodeLineGbit });
  const { connections } = usage;
  const health = createHealth({ presence, connections });
  closing.defer(health.close);
  const agentFiles = createAgentFiles({ agentDir, identity });
  const nodes = createNodes({
    database,
    clock,
    bus,
    audit,
    presence,
    connections,
    identity,
    installerChecksum: async (origin) => (await agentFiles.installer(origin)).sha256,
    agentVersion: version, // it is built and released with the control plane
    healthOf: health.of,
  });
  usage.listen({
    distrusted: (nodeId, why) => void nodes.quarantine(nodeId, why).catch(onTrouble),
    trusted: (nodeId) => void nodes.countsAnew(nodeId).catch(onTrouble),
  });
  if (security.sharedStore) {
    const sharing = shareLive({ channel: security.sharedStore, usage, presence });
    closing.defer(sharing.close);
  }

  await openAddressPool(database, pools);
  const probing = await openProbing({
    database,
    pools,
    identity,
    presence,
    nodes,
    logger,
    telemetry,
    isWanted: config.nodeProbes === "on",
    ...(probeEveryMs === undefined ? {} : { everyMs: probeEveryMs }),
  });
  closing.defer(probing.close);
  const plans = await openPlans({ database, bus, audit, onTrouble });
  const servers = createServers({ nodes, presence, plans });
  const devices = createDevices({
    database,
    dataKeys,
    clock,
    bus,
    audit,
    envelope,
    presence,
    connections,
    nodes,
    servers,
    accounts,
    settings,
    plans,
    tunnels: createTunnels({ pools, ...config.tunnels, masterKeys: keyRings.encryptionKeys }),
    pools,
    keyLife: config.keyLife,
  });
  const { keyLife } = config;
  defineKeyUpkeep({ database, clock, jobs, devices, accounts, mail, settings, keyLife, publicUrl });
  defineDrainJobs({ jobs, devices, nodes, accounts, mail, settings, publicUrl });

  const usageHistory = createUsageHistory({ database, dataKeys, clock, bus, audit });
  const notices = createUsageNotices({
    clock,
    mail,
    settings,
    publicUrl,
    planOf: plans.planOf,
    findAmongAll: accounts.findAmongAll,
    onTrouble,
  });
  closing.defer(notices.close);
  const { ledger, ...schedule } = await openLedger({
    database,
    clock,
    bus,
    jobs,
    keyFile: ledgerKeyPathOf(config),
    flushAt: config.ledger.flushAt,
    usage,
    history: usageHistory,
    notices,
    onTrouble: (trouble, cause) =>
      logger.error("ledger_trouble", { code: trouble, ...(cause === undefined ? {} : describeError(cause)) }),
    onReloaded: usage.marksChanged,
  });
  closing.defer(schedule.close);
  usage.useMarks(ledger.markOf);
  usage.useMonth(ledger.monthOfUse);
  const accountUsage = createAccountUsage({
    clock,
    database,
    audit,
    planOf: plans.planOf,
    used: ledger.usedThisMonth,
    accounts,
  });

  const directory = createPeerDirectory();
  const restrictions = createRestrictions({
    clock,
    plans,
    usage: { used: ledger.usedThisMonth, forEachUsed: ledger.forEachUsed, onUsed: usage.onUsed },
    connections: usage,
    peers: directory,
  });
  closing.defer(restrictions.close);
  ledger.onChanged(restrictions.reviewAll);
  const addresses = gatewayAddresses(pools);
  const tellCloned = defineClonedLetter({ database, jobs, accounts, mail, settings, publicUrl });
  const gateway = createGateway({
    database,
    bus,
    presence,
    usage,
    directory,
    restrictions,
    speeds: plans.speeds,
    takeCredential: nodes.renewal.take,
    cloning: createCloning({ database, clock, bus, audit, tellCloned }),
    outdated: nodes.outdated,
    agentVersion: version,
    identity,
    health,
    alwaysThere: probing.peersOf,
    peers: devices.peers,
    tunnelInterface: { addresses, mtu: config.tunnels.mtu },
    logger,
  });

  telemetry.gauge(
    "securewave_nodes_connected",
    "Nodes connected to this process",
    () => presence.ownNodes().length,
  );
  telemetry.gauge(
    "securewave_nodes_offline",
    "Nodes that should be connected and are not",
    async () => (await nodes.counts()).offline,
  );
  telemetry.gauge(
    "securewave_nodes_degraded",
    "Nodes that are connected and not well",
    async () => (await nodes.counts()).degraded,
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

  return {
    connections,
    agentFiles,
    nodes,
    health,
    plans,
    servers,
    devices,
    usageHistory,
    accountUsage,
    gateway,
    /** Of a node, in tunnels, with the lengths of their prefixes. */
    addresses,
    startLedger: schedule.start,
  };
}
