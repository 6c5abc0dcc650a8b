import { type Clock, SECOND_MS } from "@securewave/foundation";
import type pg from "pg";
import { backupErrors } from "../errors.ts";
import {
  type BackupObject,
  createBackupId,
  folderOf,
  listBackups,
  type Manifest,
  removeBackup,
  secondOf,
  writeManifest,
} from "../manifest.ts";
import { putSealed, putSealedCompressed, SEALED_SUFFIX } from "../sealing/object.ts";
import type { Target } from "../targets/target.ts";
import {
  type Message,
  openReplication,
  type ReplicationConnection,
  readRow,
  ServerError,
} from "./connection.ts";

/** Our key for the lock that says a base is being taken. */
const BASE_LOCK_KEY = 5_771_002;
const BASE_NAME = `base.tar${SEALED_SUFFIX}`;
const VERSION_MIN = 15;
/** The kinds of CopyData that hold a part of the tar file, and how many bytes of it were read so far. */
const ARCHIVE_DATA = "d".charCodeAt(0);
const PROGRESS = "p".charCodeAt(0);
/** The whole log of a base's time is in it, so that it needs no archive; its own checksums are read along. */
const OPTIONS =
  "LABEL 'securewave', PROGRESS true, CHECKPOINT 'fast', WAL true, WAIT false, MANIFEST 'no', VERIFY_CHECKSUMS true";
/**
 * A server that was built with zstd compresses best, beside its reading where zstd has threads: it sends less. One that
 * cannot says so before it begins.
 */
const COMPRESSIONS = ["level=1,workers=1", "level=1"].map(
  (detail) => `, COMPRESSION 'zstd', COMPRESSION_DETAIL '${detail}'`,
);
/** The SQLSTATEs of a server without zstd, and of one whose zstd has no threads. */
const CANNOT_COMPRESS = ["42601", "22023"];

export interface BaseOptions {
  readonly target: Target;
  readonly recipients: readonly string[];
  /** Of a role that may replicate. */
  readonly connection: pg.ClientConfig;
  /** Of SecureWave. */
  readonly version: string;
  readonly clock: Clock;
  /** What the manifest says about the contents; asked when the base is whole. */
  readonly counts?: (() => Promise<Readonly<Record<string, number>>>) | undefined;
  /** Bytes; the total is PostgreSQL's estimate. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Backs the whole cluster up while it works. First removes what a killed one has left.
 *
 * @throws backup.already_running, backup.not_permitted, backup.unsupported, backup.interrupted, backup_target.…
 */
export async function takeBase(options: BaseOptions): Promise<Manifest> {
  const { target, clock, signal } = options;
  const connection = await openReplication(options.connection, "securewave backup");
  const stop = () => connection.close();
  signal?.addEventListener("abort", stop);
  try {
    signal?.throwIfAborted();
    await takeLock(connection);
    const about = await describeServer(connection);
    // Under the lock nobody else's base can be unfinished.
    for (const id of (await listBackups(target, "database")).unfinished)
      await removeBackup(target, "database", id);

    const id = createBackupId(clock);
    const folder = folderOf("database", id);
    try {
      const { object, positions } = await putBase(connection, `${folder}${BASE_NAME}`, options);
      const [[seconds] = []] = await connection.query("select ceil(extract(epoch from clock_timestamp()))");
      const counts = (await options.counts?.()) ?? {};
      signal?.throwIfAborted();
      return await writeManifest(target, {
        id,
        kind: "database",
        takenAt: secondOf(Number(seconds) * SECOND_MS),
        version: options.version,
        counts,
        objects: [object],
        base: { ...about, timeline: positions.timeline, startLsn: positions.start, stopLsn: positions.stop },
      });
    } catch (error) {
      await removeBackup(target, "database", id).catch(() => {});
      throw error;
    }
  } catch (error) {
    if (signal?.aborted) throw backupErrors.interrupted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
    connection.close();
  }
}

async function takeLock(connection: ReplicationConnection): Promise<void> {
  const [[isTaken] = []] = await connection.query(`select pg_try_advisory_lock(${BASE_LOCK_KEY})`);
  if (isTaken !== "t") throw backupErrors.alreadyRunning();
}

async function describeServer(connection: ReplicationConnection) {
  const [[systemId] = []] = await connection.query("IDENTIFY_SYSTEM");
  const [[number, segmentBytes, tablespaces] = []] = await connection.query(`
    select current_setting('server_version_num'),
      (select setting from pg_settings where name = 'wal_segment_size'),
      (select count(*) from pg_tablespace where spcname not in ('pg_default', 'pg_global'))`);
  const major = Math.floor(Number(number) / 10_000);
  if (major < VERSION_MIN) {
    throw backupErrors.unsupported({
      detail: `PostgreSQL ${major} cannot be backed up; ${VERSION_MIN} is the oldest that can.`,
    });
  }
  if (tablespaces !== "0") {
    throw backupErrors.unsupported({
      detail: "A database with tablespaces of its own cannot be backed up. Move the tables to pg_default.",
    });
  }
  return { systemId: systemId ?? "", segmentBytes: Number(segmentBytes), postgresMajor: String(major) };
}

/** The positions in the log between which a base was made, and how long its tar file is. */
interface Read {
  start: string;
  stop: string;
  timeline: number;
  plainBytes: number;
}

async function putBase(
  connection: ReplicationConnection,
  path: string,
  { target, recipients, onProgress }: BaseOptions,
): Promise<{ object: BackupObject; positions: Read }> {
  const positions: Read = { start: "", stop: "", timeline: 0, plainBytes: 0 };
  const { isCompressed, messages } = await beginBase(connection);
  const tar = readBase(messages, positions, onProgress);
  const put = isCompressed ? putSealedCompressed : putSealed;
  const object = { ...(await put(target, path, tar, recipients)), plainBytes: positions.plainBytes };
  return { object, positions };
}

/** Has the server begin to send a base, compressed where it can. */
async function beginBase(
  connection: ReplicationConnection,
): Promise<{ isCompressed: boolean; messages: AsyncIterable<Message[]> }> {
  const begin = async (command: string) => {
    connection.start(command);
    const messages = connection.read();
    const first = await messages.next();
    return (async function* () {
      yield first.value;
      yield* messages;
    })();
  };
  for (const compression of COMPRESSIONS) {
    try {
      return { isCompressed: true, messages: await begin(`BASE_BACKUP (${OPTIONS}${compression})`) };
    } catch (error) {
      if (!(error instanceof ServerError && CANNOT_COMPRESS.includes(error.code))) throw error;
    }
  }
  return { isCompressed: false, messages: await begin(`BASE_BACKUP (${OPTIONS})`) };
}

/** Yields the tar file of the data folder as it is sent. */
async function* readBase(
  messages: AsyncIterable<Message[]>,
  positions: Read,
  onProgress: BaseOptions["onProgress"],
): AsyncGenerator<Buffer> {
  let rows = 0;
  let total = 0;
  // One row for where it starts, one for the only tablespace and its KiB, one for where it stopped.
  const note = (row: (string | null)[]) => {
    rows++;
    if (rows === 1) positions.start = row[0] ?? "";
    if (rows === 2) total = Number(row[2]) * 1024;
    if (rows === 3) [positions.stop, positions.timeline] = [row[0] ?? "", Number(row[1])];
  };
  for await (const some of messages) {
    for (const { type, body } of some) {
      if (type === "D") note(readRow(body));
      if (type === "Z") return;
      if (type === "d" && body[0] === ARCHIVE_DATA) yield body.subarray(1);
      if (type === "d" && body[0] === PROGRESS) {
        positions.plainBytes = Number(body.readBigInt64BE(1));
        onProgress?.(positions.plainBytes, Math.max(total, positions.plainBytes));
      }
    }
  }
}
