import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive } from "@securewave/database/store-folder";

const NAME = "securewave-verify-";
const OF_PROCESS = new RegExp(`^${NAME}(\\d+)-`);

/** A folder of our own in which a database is restored; to be removed by whoever opens it. */
export function openScratchFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), `${NAME}${process.pid}-`));
}

/** Removes what workers left that were killed: it holds all that the database did, and nobody would miss it. */
export async function removeScratch(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(OF_PROCESS.exec(name)?.[1]);
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true, maxRetries: 3 }).catch(() => {}); // another user's
  }
}
