import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** What an operator keeps in a folder, as its names show. */
export type FolderForm = "archive" | "replica" | "files";

export interface Folder {
  readonly dir: string;
  /** Its place in ZERO_LOG_FOLDERS. */
  readonly number: number;
  readonly form: FolderForm;
}

/** Timeline, log and segment: 24 digits, and what archiving programs add. @see PostgreSQL, access/xlog_internal.h */
const SEGMENT = /^[0-9A-F]{24}(?:[.-]|$)/;
/** Programs for archiving have folders of servers, timelines and logs. */
const DEPTH_MAX = 4;

export async function formOfFolder(dir: string): Promise<FolderForm> {
  const entries = await entriesOf(dir);
  const names = new Set(entries.map(({ name }) => name));
  if (names.has("PG_VERSION")) return names.has("standby.signal") ? "replica" : "files";
  return (await hasSegments(dir, entries, DEPTH_MAX)) ? "archive" : "files";
}

async function hasSegments(dir: string, entries: readonly Dirent[], depth: number): Promise<boolean> {
  if (entries.some((entry) => entry.isFile() && SEGMENT.test(entry.name))) return true;
  if (depth === 0) return false;
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const below = join(dir, entry.name);
    const inside = await entriesOf(below);
    // A base backup has a log of its own.
    if (inside.some(({ name }) => name === "PG_VERSION")) continue;
    if (await hasSegments(below, inside, depth - 1)) return true;
  }
  return false;
}

/** A folder that cannot be read is found so when it is searched. */
function entriesOf(dir: string): Promise<Dirent[]> {
  return readdir(dir, { withFileTypes: true }).catch(() => []);
}
