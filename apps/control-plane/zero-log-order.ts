import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Database } from "@securewave/database";
import type { AuditorNode, AuditorOrder } from "@securewave/ghosts/auditor-protocol";
import { type Config, publicUrlOf } from "./config.ts";
import { ACCEPTED_BY_LOCAL_NODE } from "./local-node.ts";
import type { Accounts } from "./modules/accounts/index.ts";
import type { AuditedBackups } from "./modules/backups/index.ts";
import type { Nodes } from "./modules/nodes/index.ts";
import type { Privacy } from "./modules/privacy/index.ts";
import type { createSessions } from "./modules/sessions/index.ts";
import type { Prepared } from "./modules/zero-log/index.ts";

export interface OrderOptions {
  readonly config: Config;
  readonly database: Database;
  readonly accounts: Accounts;
  readonly sessions: Pick<ReturnType<typeof createSessions>, "openProgram">;
  readonly nodes: Pick<Nodes, "directory">;
  readonly privacy: Pick<Privacy, "deletions">;
  readonly version: string;
  /** The node's address in tunnels, with the length of its prefix. */
  readonly gateway: string;
  /** Undefined where there are none to be searched. */
  readonly backups: AuditedBackups | undefined;
}

// Named from here, where this file and the bundle made of it both lie.
const AGENT = fileURLToPath(import.meta.resolve("../node-agent/main.ts"));
/** Nobody can have this name: RFC 2606. It tells a later run what one left that was killed. */
const GHOSTS_EMAIL = "ghosts@zero-log.invalid";

/** Says what of the service the auditor may reach, and makes an account for the ghosts where they can use it. */
export async function prepareAudit(options: OrderOptions, isQuick: boolean): Promise<Prepared> {
  const { config, database, version } = options;
  await removeGhosts(options);
  const node = await nodeFor(options);
  const order: AuditorOrder = {
    software: { name: "SecureWave", version },
    isQuick,
    apiUrl: `http://${hostOf(config)}:${config.http.port}`,
    apiHost: new URL(publicUrlOf(config)).host,
    dataDir: config.store.dir,
    folders: config.zeroLog.folders,
    database: databaseOf(config, database),
    redisUrl: config.redisUrl?.reveal(),
    logPath: config.logPath,
    metricsUrl: `http://${config.metrics.host}:${config.metrics.port}/metrics`,
    node,
    backups: options.backups?.place(),
  };
  const made: string[] = [];
  return {
    order,
    async backUp(controls) {
      const answer = await options.backups?.backUp(controls);
      made.push(...(answer?.backupIds ?? []));
      return answer ?? { backupIds: [] };
    },
    async clear() {
      await removeGhosts(options);
      await options.backups?.discard(made);
    },
  };
}

function hostOf({ http: { host } }: Config): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

export function databaseOf(
  config: Pick<Config, "store" | "zeroLog">,
  database: Pick<Database, "pool">,
): AuditorOrder["database"] {
  if (config.store.url !== undefined) {
    // With the login of the moment, where Vault makes those.
    const url = database.pool.options.connectionString ?? config.store.url.reveal();
    return { url, dataDir: config.zeroLog.databaseDir, hasTools: true };
  }
  const { host = "", user = "", database: name = "" } = database.pool.options;
  const url = `postgresql:///${name}?host=${encodeURIComponent(host)}&user=${encodeURIComponent(user)}`;
  return { url, dataDir: join(config.store.dir, "store", "pgdata"), hasTools: false };
}

/** This machine as a VPN server, where it is one that runs. */
async function nodeFor({
  config,
  accounts,
  sessions,
  nodes,
  gateway,
}: OrderOptions): Promise<AuditorNode | undefined> {
  const { mode, name, port } = config.localNode;
  const interfaceName = `sw${name}`;
  if (mode === "off" || process.getuid?.() !== 0 || !existsSync(`/sys/class/net/${interfaceName}`))
    return undefined;
  const node = [...(await nodes.directory()).values()].find((known) => known.name === name);
  if (node === undefined) return undefined;
  const account = await accounts.create(
    GHOSTS_EMAIL,
    randomBytes(32).toString("base64url"),
    "customer",
    "system",
  );
  const { access_token: token } = await sessions.openProgram(account, "password");
  return {
    id: node.id,
    interfaceName,
    listenPort: port,
    gateway: gateway.replace(/\/\d+$/, ""),
    agent: { entry: AGENT, stateDir: join(config.store.dir, "node"), accepted: ACCEPTED_BY_LOCAL_NODE },
    token,
  };
}

/** Erases the ghosts' account, with its devices and its key. */
async function removeGhosts({ accounts, privacy }: OrderOptions): Promise<void> {
  const account = await accounts.findByEmail(GHOSTS_EMAIL);
  if (account !== undefined) await privacy.deletions.erase(account.id);
}
