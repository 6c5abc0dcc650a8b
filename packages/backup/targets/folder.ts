import { createReadStream } from "node:fs";
import { type FileHandle, open, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isAlive } from "@securewave/database/store-folder";
import { invariant } from "@securewave/foundation";
import { targetErrors } from "../errors.ts";
import { makeFolder } from "./make-folder.ts";
import type { StoredObject, Target } from "./target.ts";

const UNFINISHED = ".unfinished-";
const READ_BYTES = 1 << 20;
const FULL_CODES = ["ENOSPC", "EDQUOT", "EFBIG"];
const DENIED_CODES = ["EACCES", "EPERM", "EROFS"];

/** Keeps objects as files that only their owner can read. What `put` has written is on the disk. */
export function openFolderTarget(path: string): Target {
  const dir = resolve(path);
  const refuse = (error: unknown): never => {
    throw refusalOf(error, dir);
  };
  const pathOf = (name: string) => {
    invariant(name.split("/").every(isSafeWord), "an object's name leads nowhere else");
    return join(dir, name);
  };
  let number = 0;

  return {
    description: dir,

    async put(name, content) {
      const finalPath = pathOf(name);
      const parent = dirname(finalPath);
      const unfinishedPath = join(parent, `${UNFINISHED}${process.pid}-${number++}`);
      let bytes = 0;
      let file: FileHandle | undefined;
      try {
        const made = await makeFolder(parent).catch((error: unknown) => {
          throw isOf(error, "ENOENT") ? cannotBe(dir) : refusalOf(error, dir);
        });
        file = await open(unfinishedPath, "wx", 0o600).catch(refuse);
        for await (const part of content) {
          await writeAll(file, part).catch(refuse);
          bytes += part.length;
        }
        await file.sync().catch(refuse);
        await file.close();
        file = undefined;
        await rename(unfinishedPath, finalPath).catch(refuse);
        await syncFolder(parent);
        if (made !== undefined) await syncFolder(dirname(made));
        return bytes;
      } catch (error) {
        await file?.close().catch(() => {});
        await rm(unfinishedPath, { force: true }).catch(() => {});
        throw error;
      }
    },

    async get(name) {
      const file = await open(pathOf(name), "r").catch(refuse);
      return createReadStream("", { fd: file, highWaterMark: READ_BYTES });
    },

    async *list(prefix) {
      const folder = prefix.includes("/") ? prefix.slice(0, prefix.lastIndexOf("/") + 1) : "";
      for await (const object of filesBelow(dir, folder, refuse)) {
        if (object.name.startsWith(prefix)) yield object;
      }
    },

    async remove(name) {
      const path = pathOf(name);
      await rm(path, { force: true }).catch(refuse);
      // Folders that were made for it; one that holds something stays.
      for (let parent = dirname(path); parent !== dir; parent = dirname(parent)) {
        if (
          !(await rmdir(parent).then(
            () => true,
            () => false,
          ))
        )
          return;
      }
    },

    async find(name) {
      const found = await stat(pathOf(name)).catch((error: NodeJS.ErrnoException) =>
        error.code === "ENOENT" || error.code === "ENOTDIR" ? undefined : refuse(error),
      );
      return found?.isFile() ? { name, bytes: found.size } : undefined;
    },

    async removeUnfinished(prefix) {
      const names = await readdir(join(dir, prefix), { recursive: true }).catch(() => []);
      for (const name of names) {
        const [, maker] = new RegExp(`(?:^|/)\\${UNFINISHED}(\\d+)-\\d+$`).exec(name) ?? [];
        if (maker !== undefined && !isAlive(Number(maker)))
          await rm(join(dir, prefix, name), { force: true });
      }
    },
  };
}

async function* filesBelow(
  dir: string,
  folder: string,
  refuse: (error: unknown) => never,
): AsyncGenerator<StoredObject> {
  const entries = await readdir(join(dir, folder), { withFileTypes: true }).catch(
    // What was never written to holds nothing; any other trouble is one.
    (error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? [] : refuse(error)),
  );
  // `a/` sorts before `a0` on every target: the order is that of whole names.
  const sorted = entries
    .filter((entry) => !entry.name.startsWith(UNFINISHED))
    .map((entry) => ({ entry, key: entry.isDirectory() ? `${entry.name}/` : entry.name }))
    .sort((one, other) => (one.key < other.key ? -1 : 1));
  for (const { entry, key } of sorted) {
    if (entry.isDirectory()) yield* filesBelow(dir, `${folder}${key}`, refuse);
    else if (entry.isFile()) {
      // Another process may have removed it since.
      const found = await stat(join(dir, folder, key)).catch(() => undefined);
      if (found !== undefined) yield { name: `${folder}${key}`, bytes: found.size };
    }
  }
}

async function writeAll(file: FileHandle, part: Uint8Array): Promise<void> {
  for (let from = 0; from < part.length; ) from += (await file.write(part, from)).bytesWritten;
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}

function isSafeWord(word: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(word);
}

function isOf(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function cannotBe(dir: string) {
  return targetErrors.failed({
    detail: `The backup folder ${dir} cannot be there: what is above it, or has its name, is no folder that takes any. Name another place.`,
    internal: "no folder",
  });
}

function refusalOf(error: unknown, dir: string) {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  if (FULL_CODES.includes(code)) {
    return targetErrors.full({
      detail: `The disk of the backup folder ${dir} is full. Make room, or shorten the retention and run the clean-up.`,
      internal: code,
    });
  }
  if (code === "ENOENT") return targetErrors.notFound({ internal: code });
  if (code === "ENOTDIR") return cannotBe(dir);
  if (DENIED_CODES.includes(code)) {
    return targetErrors.denied({
      detail: `The backup folder ${dir} may not be used (${code}). Give it to the service's user.`,
      internal: code,
    });
  }
  return targetErrors.failed({
    detail: `The backup folder ${dir} cannot be used (${code}). Check the disk.`,
    internal: code,
  });
}
