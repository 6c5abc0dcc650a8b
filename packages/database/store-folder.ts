import { createHash } from "node:crypto";
import { constants } from "node:fs";
import {
  access,
  chmod,
  chown,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { storeErrors } from "./errors.ts";
import type { Owner } from "./postgres-tools.ts";

/** The folder inside the store's that PostgreSQL calls its data directory. */
const DATA_DIR = "pgdata";
const UNFINISHED = `${DATA_DIR}.new-`;
/** PostgreSQL's `PG_CONTROL_FILE_SIZE`, src/include/catalog/pg_control.h. */
const CONTROL_FILE_BYTES = 8192;
/** The shortest of `sockaddr_un.sun_path` among systems (104 on macOS), without its closing zero byte. */
const SOCKET_PATH_BYTES_MAX = 103;
/** PostgreSQL names its socket by the port, also where it listens on none. */
export const SOCKET_NAME = ".s.PGSQL.5432";

export function dataDirOf(dir: string): string {
  return join(dir, DATA_DIR);
}

/**
 * Looks whether a folder holds a store, without changing anything.
 *
 * @param major the version of PostgreSQL at hand
 * @returns who owns the store or the folder; undefined when there is no folder yet
 * @throws store.unreadable, store.wrong_version, store.not_writable
 */
export async function inspectStore(
  dir: string,
  major: string,
): Promise<{ isNew: boolean; owner: Owner | undefined }> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw refuseFolder(dir, error);
  });
  if (names === undefined) return { isNew: true, owner: undefined };
  await access(dir, constants.W_OK).catch((error) => {
    throw refuseFolder(dir, error);
  });
  if (!names.includes(DATA_DIR)) {
    const foreign = names.find((name) => !name.startsWith(UNFINISHED) && name !== "lost+found");
    if (foreign !== undefined) {
      throw storeErrors.unreadable({
        detail: `The folder ${dir} holds other files and no SecureWave store. Give an empty folder, or one that does not exist.`,
      });
    }
    return { isNew: true, owner: await stat(dir) };
  }
  await inspectDataDir(dir, major);
  return { isNew: false, owner: await stat(dataDirOf(dir)) };
}

async function inspectDataDir(dir: string, major: string): Promise<void> {
  const dataDir = dataDirOf(dir);
  const version = await readFile(join(dataDir, "PG_VERSION"), "utf8").catch(() => undefined);
  if (version === undefined) throw damaged(dir, "PG_VERSION is missing");
  if (version.trim() !== major) {
    throw storeErrors.wrongVersion({
      detail: `The store ${dir} was made by PostgreSQL ${version.trim().slice(0, 20)}; this SecureWave brings ${major}. Start the SecureWave that made it, export it with pg_dump, and import it into a new store.`,
    });
  }
  const control = await readFile(join(dataDir, "global", "pg_control")).catch(() => undefined);
  if (control === undefined) throw damaged(dir, "global/pg_control is missing");
  if (control.length !== CONTROL_FILE_BYTES) throw damaged(dir, "global/pg_control has a wrong length");
}

/** The refusal for a store that is there and cannot be read; nothing is ever started empty over it. */
export function damaged(dir: string, reason: string) {
  return storeErrors.unreadable({
    detail: `The store ${dir} is damaged (${reason}). It was left as it is; restore it from a backup.`,
  });
}

/**
 * Makes a new data folder beside its final place and moves it there whole, so that a kill in the middle
 * leaves no half-made store.
 *
 * @param fill fills the folder it is given, and brings it to the disk
 */
export async function createStore(
  dir: string,
  owner: Owner | undefined,
  fill: (dataDir: string) => Promise<void>,
): Promise<void> {
  const unfinishedDir = join(dir, `${UNFINISHED}${process.pid}`);
  let isFolderNew = false;
  try {
    isFolderNew = (await mkdir(dir, { recursive: true, mode: 0o700 })) !== undefined;
    await chmod(dir, 0o700);
    await removeUnfinished(dir);
    await mkdir(unfinishedDir, { mode: 0o700 });
    if (owner !== undefined)
      await Promise.all([dir, unfinishedDir].map((path) => chown(path, owner.uid, owner.gid)));
  } catch (error) {
    throw refuseFolder(dir, error);
  }
  try {
    await fill(unfinishedDir);
    // Fails where another process has finished one meanwhile; that one is used then.
    await rename(unfinishedDir, dataDirOf(dir)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } catch (error) {
    await rm(unfinishedDir, { recursive: true, force: true });
    if (isFolderNew) await rmdir(dir).catch(() => {}); // another process's unfinished store may be in it
    throw error;
  } finally {
    await rm(unfinishedDir, { recursive: true, force: true });
  }
  await Promise.all([dir, dirname(dir)].map(syncFolder));
}

async function removeUnfinished(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!name.startsWith(UNFINISHED)) continue;
    const maker = Number(name.slice(UNFINISHED.length));
    if (maker !== process.pid && isAlive(maker)) continue;
    await rm(join(dir, name), { recursive: true, force: true });
  }
}

/**
 * Finds a place for the socket: the data folder, which PostgreSQL keeps at mode 0700, or, where that path
 * is too long, a folder of the same mode below the system's temporary one.
 */
export async function prepareSocketDir(dataDir: string, owner: Owner | undefined): Promise<string> {
  if (Buffer.byteLength(join(dataDir, SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX) return dataDir;
  const hash = createHash("sha256").update(dataDir).digest("hex").slice(0, 20);
  const dir = join(tmpdir(), `securewave-${hash}`);
  await mkdir(dir, { mode: 0o700 })
    .then(() => (owner === undefined ? undefined : chown(dir, owner.uid, owner.gid)))
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw refuseFolder(dir, error);
    });
  // Somebody else could have made it first, and would then own the way to the database.
  const found = await lstat(dir);
  const expectedUid = owner?.uid ?? process.getuid?.() ?? found.uid;
  if (!found.isDirectory() || found.uid !== expectedUid || (found.mode & 0o077) !== 0) {
    throw storeErrors.cannotStart({ detail: `The folder ${dir} belongs to another user. Remove it.` });
  }
  return dir;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  await handle.sync().finally(() => handle.close());
}

function refuseFolder(dir: string, error: unknown) {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  return storeErrors.notWritable({
    detail: `The folder ${dir} cannot be made or written (${code}). Give SecureWave a folder it owns.`,
  });
}
