/** The control plane's own devices service on a store of its own, without HTTP and without a node's agent. */
import { join } from "node:path";
import { type Database, migrate, openDatabase } from "@securewave/database";
import { insertAccountRow } from "@securewave/database/testing-rows";
import { createId, systemClock } from "@securewave/foundation";
import { createEnvelope } from "@securewave/foundation/envelope";
import { createJobs } from "@securewave/jobs";
import { createPresence, createUsage } from "@securewave/live";
import { temporaryDir } from "@securewave/testing";
import { type Pool, parsePool } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { createBus } from "../apps/control-plane/bus.ts";
import { createAccounts } from "../apps/control-plane/modules/accounts/index.ts";
import { createAudit } from "../apps/control-plane/modules/audit/index.ts";
import { openDataKeys } from "../apps/control-plane/modules/data-keys/index.ts";
import {
  createDevices,
  createTunnels,
  type Devices,
  openAddressPool,
} from "../apps/control-plane/modules/devices/index.ts";
import { createMail } from "../apps/control-plane/modules/mail/index.ts";
import { createNodes } from "../apps/control-plane/modules/nodes/index.ts";
import { openPlans } from "../apps/control-plane/modules/plans/index.ts";
import { createServers } from "../apps/control-plane/modules/servers/index.ts";
import { loadServiceKey } from "../apps/control-plane/modules/service-keys/index.ts";
import { createSettings } from "../apps/control-plane/modules/settings/index.ts";

/** More than callers, so that none waits for a connection. */
const POOL_CONNECTIONS = 20;
const MASTER_KEY = { number: 1, key: Buffer.alloc(32, 1) };
const DEVICES_MAX = 1_000_000;

export interface DevicesService {
  readonly devices: Devices;
  readonly database: Database;
  /** Nodes that have joined. */
  readonly nodeIds: readonly string[];
  /** Adds an account that may have any number of devices. */
  addAccount(): Promise<string>;
  close(): Promise<void>;
}

export async function openDevicesService(nodeCount = 1): Promise<DevicesService> {
  const dir = temporaryDir("bench-addresses");
  const database = await openDatabase({
    dir: dir.path,
    poolMax: POOL_CONNECTIONS,
    statementTimeoutMs: 60_000,
  });
  await migrate(database.pool);
  const pools = { v4: poolOf("10.8.0.0/16"), v6: poolOf("fd5e:c0de:8::/64") };
  await openAddressPool(database, pools);

  const ignore = () => undefined;
  const [clock, publicUrl] = [systemClock, "http://localhost"];
  const bus = createBus(database, ignore);
  const envelope = createEnvelope([MASTER_KEY]);
  const { dataKeys, file } = await openDataKeys({
    database,
    envelope,
    paths: [join(dir.path, "never-in-backups", "data.key")],
  });
  const audit = createAudit({
    database,
    clock,
    key: await loadServiceKey(database.db, envelope, "audit-trail"),
    origin: "bench",
    archiveDir: dir.path,
    retentionDays: 365,
    onError: ignore,
  });
  const [presence, connections] = [createPresence(), createUsage({ clock }).connections];
  const identity = await loadServiceKey(database.db, envelope, "control-plane");
  const settings = createSettings({ database, bus, audit });
  await settings.change({ devices_per_account_max: DEVICES_MAX }, "system");
  const mail = createMail({ smtpUrl: undefined, from: "bench@localhost", outboxDir: dir.path });
  const accounts = createAccounts({
    database,
    dataKeys,
    clock,
    jobs: createJobs(database, ignore),
    mail,
    settings,
    audit,
    publicUrl,
  });
  const nodes = createNodes({
    database,
    clock,
    bus,
    audit,
    presence,
    connections,
    identity,
    installerChecksum: async () => "",
  });
  const tunnels = createTunnels({
    pools,
    dns: [],
    mtu: 1420,
    keepaliveSeconds: 25,
    masterKeys: [MASTER_KEY],
  });
  const plans = await openPlans({ database, bus, audit, onTrouble: ignore });
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
    servers: createServers({ nodes, presence, plans }),
    accounts,
    settings,
    plans,
    tunnels,
    pools,
    keyLife: { rotationDays: 90, overlapDays: 7 },
  });
  const nodeIds = await Promise.all(Array.from({ length: nodeCount }, () => addNode(database)));
  for (const id of nodeIds) presence.set(id, { appliedRevision: 0, agentVersion: "0", problem: undefined });

  return {
    devices,
    database,
    nodeIds,
    async addAccount() {
      return insertAccountRow(database.db);
    },
    async close() {
      file.close();
      await database.close();
      dir.remove();
    },
  };
}

/** A node that has joined. */
async function addNode({ db }: Database): Promise<string> {
  const id = createId("node");
  const wireguard_public_key = generateKeyPair().publicKey;
  const endpoint = { endpoint_host: "192.0.2.1", endpoint_port: 51820 };
  const row = {
    id,
    name: id,
    region: "Lab",
    capacity: DEVICES_MAX,
    joined_on: "2026-01-01",
    wireguard_public_key,
    ...endpoint,
  };
  await db.insertInto("nodes").values(row).execute();
  return id;
}

function poolOf(network: string): Pool {
  const pool = parsePool(network);
  if (pool === undefined) throw new TypeError("no pool");
  return pool;
}
