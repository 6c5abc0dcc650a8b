import { randomBytes } from "node:crypto";
import { access, constants, link, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { CliError } from "./failure.ts";

/** Writes a file that only its owner can read, in place of one there may be: whole and on disk, or not at all. */
export function writePrivateFile(path: string, content: string | Uint8Array): Promise<void> {
  return writeDraft(path, content, (draftPath) => rename(draftPath, path));
}

/**
 * The same where there is no such file.
 *
 * @throws CliError `cli.file_exists`, `cli.file_unwritable`
 */
export function writeNewFile(path: string, content: string): Promise<void> {
  return writeDraft(path, content, (draftPath) => nameAnew(draftPath, path));
}

async function writeDraft(
  path: string,
  content: string | Uint8Array,
  giveName: (draftPath: string) => Promise<void>,
): Promise<void> {
  const draftPath = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    const file = await open(draftPath, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await giveName(draftPath);
    await syncFolderOf(path);
  } catch (error) {
    throw error instanceof CliError ? error : unwritable(path, error);
  } finally {
    await rm(draftPath, { force: true }).catch(() => undefined);
  }
}

/** Gives a file a name that no file has; where the file system knows no second names, as good as that goes. */
export async function nameAnew(draftPath: string, path: string): Promise<void> {
  try {
    await link(draftPath, path);
  } catch (error) {
    if (isErrno(error, "EEXIST")) throw exists(path);
    await rename(draftPath, path);
  }
}

export async function syncFolderOf(path: string): Promise<void> {
  const folder = await open(dirname(path), "r");
  await folder.sync().finally(() => folder.close());
}

/** @throws CliError `cli.file_exists` */
export async function refuseExisting(path: string): Promise<void> {
  if (await stat(path).catch(() => undefined)) throw exists(path);
}

/**
 * Sees that a file can go there, before anybody waits for what it is to hold.
 *
 * @throws CliError `cli.file_unwritable`
 */
export async function demandWritable(path: string): Promise<void> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  if (isFolder) throw unwritable(path);
  await access(dirname(path), constants.W_OK).catch((error: unknown) => {
    throw unwritable(path, error);
  });
}

export function exists(path: string, next = "Name another one."): CliError {
  return new CliError("cli.file_exists", `The file ${path} exists already.`, { next });
}

export function unwritable(path: string, error?: unknown, next = "Name another one."): CliError {
  const isFull = isErrno(error, "ENOSPC") || isErrno(error, "EDQUOT");
  const why = isFull ? ": no space" : "";
  return new CliError("cli.file_unwritable", `The file ${path} cannot be written${why}.`, { next });
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
