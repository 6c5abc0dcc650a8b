import { open, readdir, readFile, rename, rm, rmdir, stat, statfs, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "@securewave/database/store-folder";
import { MINUTE_MS } from "@securewave/foundation";
import type pg from "pg";
import { readArchives } from "../archiving/pieces.ts";
import { lsnText, parseLsn } from "../database/lsn.ts";
import { backupErrors } from "../errors.ts";
import { listBackups } from "../manifest.ts";
import { makeFolder } from "../targets/make-folder.ts";
import { type FillOptions, fill } from "./fill.ts";
import { PAGE_BYTES } from "./log-files.ts";
import { planRestore, type RestorePlan } from "./plan.ts";
import { findPrograms } from "./programs.ts";
import { recover, startRestored } from "./recovery.ts";

/** Marks a folder in which a restore is at work, or was when it was killed. */
const UNFINISHED = ".unfinished";
/** A killed restore's PostgreSQL ends a little later. */
const STRAY_SERVER_MAX_MS = MINUTE_MS;
const POLL_MS = 100;
/** PostgreSQL makes its log in files of that size. */
const LOG_SEGMENT_BYTES = 16 << 20;

export interface RestoreOptions extends FillOptions {
  /** An instant, to the millisecond; or all that there is. */
  readonly to: Date | "latest";
  /** One of the bases; else the newest that ends before the instant. */
  readonly baseId?: string | undefined;
  /** A folder that does not exist or is empty; it becomes PostgreSQL's data folder. */
  readonly into: string;
  /** For what is looked at and thrown away: spares bringing it to the disk. */
  readonly isThrowaway?: boolean | undefined;
}

export interface Restored {
  readonly baseId: string;
  /** The instant that it was restored to; what is archived ends there where all was wanted. */
  readonly to: Date;
  /** Where its log ends, as `0/3000148`. */
  readonly lsn: string;
  readonly dataDir: string;
  readonly postgresMajor: string;
}

/**
 * Restores the database into a folder: unpacks a base, lets PostgreSQL replay the archive up to the instant, and
 * shuts it down. The folder is there when it is whole; until then it has another name.
 *
 * @throws backup.folder_in_use, backup.folder_impossible, what `planRestore` throws, backup_seal.wrong_key, backup_seal.damaged, backup.damaged,
 * backup.postgres_missing, backup.recovery_failed, backup.disk_full, backup.interrupted
 */
export async function restoreDatabase(options: RestoreOptions): Promise<Restored> {
  const { target, to, baseId, signal } = options;
  const into = resolve(options.into);
  await refuseInUse(into);
  const bases = (await listBackups(target, "database")).backups;
  const archives = await readArchives(target);
  const plan = planRestore({ bases, archives, to, baseId });
  const workDir = `${into}${UNFINISHED}`;
  await takeWorkDir(workDir);
  const dataDir = join(workDir, "data");
  try {
    const { writeLater } = await fill(options, plan, archives, dataDir);
    const end = await replay(options, plan, dataDir, writeLater);
    if (signal?.aborted) throw backupErrors.interrupted();
    await rmdir(into).catch(() => {}); // it may be there and empty
    await rename(dataDir, into);
    await syncFolder(dirname(into));
    options.onProgress?.("restored", 1);
    const { id, base } = plan.base;
    const restoredTo = plan.targetTime ?? new Date(plan.wholeTo);
    return {
      baseId: id,
      to: restoredTo,
      lsn: lsnText(end),
      dataDir: into,
      postgresMajor: base.postgresMajor,
    };
  } catch (error) {
    throw (await isForWantOfRoom(error, workDir)) ? diskFull(workDir) : error;
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

/**
 * Restores into a folder of its own, starts it for the work, and removes all of it.
 *
 * @param work gets how `pg` reaches it
 */
export async function withRestored<Result>(
  options: Omit<RestoreOptions, "into" | "isThrowaway"> & {
    readonly scratchDir: string;
    /** As whom and to which database: of the embedded store unless given. */
    readonly login?: { readonly user: string; readonly database: string } | undefined;
  },
  work: (connection: pg.ClientConfig, restored: Restored) => Promise<Result>,
): Promise<Result> {
  const { scratchDir, login = { user: "securewave", database: "postgres" }, ...rest } = options;
  const into = join(resolve(scratchDir), "restored");
  try {
    const restored = await restoreDatabase({ ...rest, into, isThrowaway: true });
    const server = await startRestored(into, await findPrograms(restored.postgresMajor), { fsync: "off" });
    try {
      return await work({ host: server.socketDir, port: 5432, ...login }, restored);
    } finally {
      await server.close();
    }
  } finally {
    await rm(into, { recursive: true, force: true });
  }
}

/** @returns where the log ended */
async function replay(
  { onProgress, signal, isThrowaway = false }: RestoreOptions,
  plan: RestorePlan,
  dataDir: string,
  writeLater: (() => Promise<void>) | undefined,
): Promise<bigint> {
  onProgress?.("replay the log", 0.85);
  const { base } = plan.base;
  const tools = await findPrograms(base.postgresMajor);
  const order = { dataDir, tools, timeline: plan.timeline, signal, isThrowaway };
  let end = await recover({ ...order, targetTime: plan.targetTime });
  if (end === "not_reached" && writeLater !== undefined) {
    await writeLater();
    end = await recover({ ...order, targetTime: plan.targetTime });
  }
  // Nothing was committed after the instant, so that all there is belongs to it.
  const isAll = plan.targetTime === undefined || end === "not_reached";
  if (end === "not_reached") end = await recover({ ...order, targetTime: undefined });
  if (end === "not_reached") throw backupErrors.recoveryFailed();
  const wanted = isAll ? plan.endLsn : parseLsn(base.stopLsn);
  // Only at the end of a page may the log have been cut within a record.
  const isShort = end < wanted && (wanted % BigInt(PAGE_BYTES) !== 0n || end < parseLsn(base.stopLsn));
  if (isShort) {
    throw backupErrors.recoveryFailed({
      detail: `PostgreSQL replayed the log to ${lsnText(end)} only, and it is there to ${lsnText(wanted)}. The folder was removed; restore to an earlier instant.`,
    });
  }
  return end;
}

/** @throws backup.folder_in_use */
async function refuseInUse(into: string): Promise<void> {
  const found = await stat(into).catch(() => undefined);
  if (found === undefined) return;
  const names = found.isDirectory() ? await readdir(into) : ["a file"];
  if (names.includes("postmaster.pid")) {
    throw backupErrors.folderInUse({
      detail: `A PostgreSQL runs on ${into}, or was killed there. Stop the service and move the folder away, or restore into another one.`,
    });
  }
  if (names.length > 0) {
    throw backupErrors.folderInUse({
      detail: `The folder ${into} is not empty. Move it away, or restore into another one.`,
    });
  }
}

/** Takes the folder to work in; removes what a killed restore has left there. */
async function takeWorkDir(dir: string): Promise<void> {
  const pidPath = join(dir, "restore.pid");
  const maker = Number(await readFile(pidPath, "utf8").catch(() => "0"));
  if (maker > 0 && maker !== process.pid && isAlive(maker)) {
    throw backupErrors.folderInUse({ detail: `Another restore is at work in ${dir}. Wait for its end.` });
  }
  await outliveServer(join(dir, "data", "postmaster.pid"));
  await rm(dir, { recursive: true, force: true });
  await makeFolder(dir).catch((error: NodeJS.ErrnoException) => {
    throw backupErrors.folderImpossible({
      detail: `The folder ${dir} cannot be made (${error.code}). Restore into another one.`,
    });
  });
  await writeFile(pidPath, String(process.pid), { mode: 0o600, flag: "wx" }).catch(() => {
    throw backupErrors.folderInUse({ detail: `Another restore is at work in ${dir}. Wait for its end.` });
  });
}

async function outliveServer(pidPath: string): Promise<void> {
  const deadline = Date.now() + STRAY_SERVER_MAX_MS;
  for (;;) {
    const pid = Number.parseInt(await readFile(pidPath, "utf8").catch(() => ""), 10);
    if (!(pid > 0) || !isAlive(pid)) return;
    if (Date.now() > deadline) {
      throw backupErrors.folderInUse({ detail: `A PostgreSQL still runs in ${dirname(pidPath)}. Stop it.` });
    }
    await sleep(POLL_MS);
  }
}

async function isForWantOfRoom(error: unknown, dir: string): Promise<boolean> {
  if (error instanceof Error && "code" in error && ["ENOSPC", "EDQUOT"].includes(String(error.code)))
    return true;
  const disk = await statfs(dir).catch(() => undefined); // PostgreSQL says only that it ended
  return disk !== undefined && disk.bavail * disk.bsize < LOG_SEGMENT_BYTES;
}

function diskFull(dir: string) {
  const detail = `The disk of ${dir} is full. Make room, or restore to another one. What was written is gone.`;
  return backupErrors.diskFull({ detail });
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}
