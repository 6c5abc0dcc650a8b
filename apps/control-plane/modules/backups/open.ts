import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { TargetOptions } from "@securewave/backup";
import type { BackupKind } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { STORE_DATABASE, STORE_USER } from "@securewave/database/postgres-process";
import { type Clock, MINUTE_MS } from "@securewave/foundation";
import type { Jobs } from "@securewave/jobs";
import { formatPool } from "@securewave/wireguard";
import type { Config } from "../../config.ts";
import type { Telemetry } from "../../http/telemetry.ts";
import { describeError, type Logger } from "../../logger.ts";
import type { Audit } from "../audit/index.ts";
import { createArchiving } from "./archiving.ts";
import { createAuditedBackups } from "./audited.ts";
import { defineClockedBackups } from "./clocked.ts";
import { configContents, type GivenSetting, type VpnSource, vpnContents } from "./contents.ts";
import { loadBackupKeys } from "./keys.ts";
import type { DatabaseAccess, TunnelTexts } from "./order.ts";
import { createBackups } from "./service.ts";
import * as store from "./store.ts";

export interface OpenOptions {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: Pick<Audit, "record">;
  readonly jobs: Pick<Jobs, "define">;
  readonly telemetry: Pick<Telemetry, "gauge">;
  readonly logger: Logger;
  readonly version: string;
  /** The program that does the work, with its arguments; undefined where this process has none. */
  readonly command: readonly string[] | undefined;
  readonly vpn: VpnSource;
  readonly given: () => readonly GivenSetting[];
}

/** A service that was just started has other things to do; one that is started for a moment makes no backup. */
const FIRST_AFTER_MS = 2 * MINUTE_MS;

/** Backups of this service: by the clock, by staff's order, and of every write as it happens. */
export async function openBackups(options: OpenOptions) {
  const { config, database, clock, audit, jobs, telemetry, logger, version, command, vpn, given } = options;
  const isOn = config.backups.mode === "on";
  const isActive = isOn && command !== undefined;
  const target = targetOptionsOf(config);
  const access = accessOf(config, database);
  // Sealing and PostgreSQL's log are loaded where they are used.
  const keys = isActive ? await keysOf(config) : undefined;

  const archiving =
    keys &&
    createArchiving({
      async receive(onTrouble) {
        const { openTarget, receiveArchive } = await import("@securewave/backup");
        return receiveArchive({
          target: await openTarget(target),
          recipients: [keys.recipient],
          connection: { connectionString: access.replicationUrl },
          everySeconds: config.backups.archiveSeconds,
          onTrouble,
        });
      },
      clock,
      isElsewhere: (error) =>
        error instanceof Error && "code" in error && error.code === "backup.archive_in_use",
      onTrouble: (error) => logger.error("backup_failed", { internal: "archive", ...describeError(error) }),
    });
  const contents = {
    config: () => configContents(database, given()),
    vpn: () => vpnContents(vpn),
  } satisfies Record<Exclude<BackupKind, "database">, unknown>;
  const backups = createBackups({
    database,
    clock,
    audit,
    logger,
    isOn,
    command,
    keys,
    place: { target: kindOf(target.url), is_on_stores_disk: isOnStoresDisk(config, target.url) },
    common: { target, version, retentionDays: retentionOf(config), tunnels: tunnelTextsOf(config) },
    access,
    contentsOf: (kind) => contents[kind](),
    archiving,
  });
  defineClockedBackups({ jobs, telemetry, backups, archiving, at: config.backups.at });

  /** What a restore has left in the restored database: the trail tells of it. */
  async function tellRestores(): Promise<void> {
    await database.transaction(async (trx) => {
      for (const { restored_to } of await store.takeUntoldRestores(trx)) {
        const details = restored_to === null ? {} : { restored_to: restored_to.toISOString() };
        await audit.record(trx, {
          kind: "restored_from_backup",
          actor: "system",
          subject: "service",
          details,
        });
      }
    });
  }

  let first: NodeJS.Timeout | undefined;
  return {
    backups,
    archiving,
    audited: createAuditedBackups({
      backups,
      archiving,
      place: {
        isOn: isActive,
        target,
        identities: keys?.identities ?? [],
        archiveSeconds: config.backups.archiveSeconds,
      },
      onTrouble: hear,
    }),

    /** For each start of a service that has jobs. */
    async start(): Promise<void> {
      await tellRestores();
      if (!isActive) return;
      archiving?.start();
      first = setTimeout(() => void backUpIfNone().catch(hear), FIRST_AFTER_MS).unref();
    },

    async close(): Promise<void> {
      clearTimeout(first);
      await backups.close();
      await archiving?.close();
    },
  };

  /** A new service, and one that was just restored, has a backup before the night. */
  async function backUpIfNone(): Promise<void> {
    const { newest } = await store.endsOf(database.db);
    const missing = (["database", "config", "vpn"] as const).filter(
      (kind) => !newest.some((row) => row.kind === kind),
    );
    if (missing.length > 0) await backups.work({ act: "back_up", kinds: missing });
  }

  function hear(error: unknown): void {
    logger.error("backup_failed", describeError(error));
  }
}

export async function keysOf(config: Config) {
  const { createIdentity, recipientOf } = await import("@securewave/backup");
  return loadBackupKeys(
    config,
    async () => createIdentity().identity,
    async (identity) => recipientOf(identity),
  );
}

export function targetOptionsOf({
  store: { dir },
  backups,
}: Pick<Config, "store" | "backups">): TargetOptions {
  const url = backups.target ?? join(dir, "backups");
  const secret = backups.secretKey?.reveal();
  if (kindOf(url) === "folder") return { url: resolve(url) };
  if (kindOf(url) === "azure") {
    const isSignature = secret?.includes("sig=") === true;
    return {
      url,
      credentials: secret === undefined ? {} : isSignature ? { sasToken: secret } : { accountKey: secret },
    };
  }
  const accessKeyId = backups.accessKey;
  return {
    url,
    credentials: {
      ...(accessKeyId === undefined ? {} : { accessKeyId }),
      ...(secret === undefined ? {} : { secretAccessKey: secret }),
    },
  };
}

export function retentionOf({ backups }: Pick<Config, "backups">): Record<BackupKind, number> {
  return { database: backups.databaseDays, config: backups.configDays, vpn: backups.vpnDays };
}

export function tunnelTextsOf({ tunnels }: Pick<Config, "tunnels">): TunnelTexts {
  const { poolV4, poolV6, dns, mtu, keepaliveSeconds } = tunnels;
  return { poolV4: formatPool(poolV4), poolV6: formatPool(poolV6), dns, mtu, keepaliveSeconds };
}

function accessOf(
  config: Pick<Config, "store" | "backups">,
  database: Pick<Database, "pool" | "kind">,
): DatabaseAccess {
  if (config.store.url !== undefined || database.kind === "postgres") {
    const url = config.store.url?.reveal() ?? database.pool.options.connectionString ?? "";
    return { url, replicationUrl: config.backups.databaseUrl?.reveal() ?? url };
  }
  // Its socket asks for no password; a copy of all is the owner's to make.
  const socket = `host=${encodeURIComponent(database.pool.options.host ?? "")}`;
  const url = `postgresql://${STORE_USER}@localhost/${STORE_DATABASE}?${socket}`;
  return { url, replicationUrl: url };
}

function kindOf(url: string): "folder" | "s3" | "azure" {
  if (url.startsWith("s3://")) return "s3";
  return url.startsWith("azblob://") ? "azure" : "folder";
}

/** One broken disk, or one wrong `rm`, would take both. */
function isOnStoresDisk({ store: { dir } }: Pick<Config, "store">, url: string): boolean {
  if (kindOf(url) !== "folder") return false;
  const device = (path: string): number | undefined => {
    try {
      return statSync(path).dev;
    } catch {
      const parent = dirname(path);
      return parent === path ? undefined : device(parent);
    }
  };
  return device(resolve(url)) === device(resolve(dir));
}
