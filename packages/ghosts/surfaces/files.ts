import type { Stats } from "node:fs";
import { lstat, open, readdir, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import type { Collecting, Source, Surface } from "../surface.ts";

const CHUNK_BYTES = 1024 * 1024;
const ZEROS = Buffer.alloc(CHUNK_BYTES);

export interface FilesOptions extends Pick<Surface, "id" | "title" | "rows" | "permits"> {
  readonly dir: string;
  /** What of it is another surface's: names relative to the folder, with all below. */
  readonly without?: readonly string[];
}

/** All files below a folder. The control is a compressed file in it. */
export function filesSurface({ dir, without, ...surface }: FilesOptions): Surface {
  const controlPath = join(dir, "ghost-control.gz");
  return {
    ...surface,
    async plant(control) {
      await writeFile(controlPath, gzipSync(`control ${control.ipv4}\n`), { mode: 0o600 });
      return [{ kind: "ipv4", encoding: "text" }];
    },
    clear: () => rm(controlPath, { force: true }),
    collect: (collecting) => filesBelow(dir, collecting, without),
  };
}

/**
 * Gives every file below a folder once, those too that appear while it goes on in folders not yet read. Links are not
 * followed: what they lead to is searched where it lies, or by a surface of its own.
 */
export async function* filesBelow(
  dir: string,
  collecting: Collecting,
  without: readonly string[] = [],
): AsyncGenerator<Source> {
  const left = [dir];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const entries = await readdir(next, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT" || next === dir) throw error;
      return [];
    });
    for (const entry of entries) {
      const path = join(next, entry.name);
      const name = relative(dir, path);
      if (without.includes(name)) continue;
      if (entry.isDirectory()) left.push(path);
      else if (entry.isFile()) yield { name, read: () => readFile(path, name, collecting) };
      else collecting.skip(name, entry.isSymbolicLink() ? "a link" : "no file: a socket, pipe or device");
    }
  }
}

/**
 * Reads a file as long as it was when it was opened, and what was added by the time its end is reached. One that is
 * gone is skipped. Long runs of zeros, such as the holes of sparse files, are given shortened to a chunk.
 */
async function* readFile(path: string, name: string, collecting: Collecting): AsyncGenerator<Buffer> {
  const handle = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    collecting.skip(name, "it was removed meanwhile");
    return undefined;
  });
  if (handle === undefined) return;
  try {
    const stats = await handle.stat();
    // One byte more than there is, so that the end is known at once.
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(4096, stats.size + 1)));
    const isSparse = looksSparse(stats);
    let at = 0;
    let zeroChunks = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      zeroChunks = isSparse && bytesRead === CHUNK_BYTES && ZEROS.equals(buffer) ? zeroChunks + 1 : 0;
      if (zeroChunks <= 1) yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** `st_blocks` counts 512 bytes each. */
function looksSparse({ blocks, size }: Stats): boolean {
  return size > 64 * CHUNK_BYTES && blocks * 512 < size / 2;
}

/** Whether there is a folder to be searched. */
export async function isFolder(dir: string): Promise<boolean> {
  const found = await lstat(dir).catch(() => undefined);
  return found?.isDirectory() ?? false;
}
