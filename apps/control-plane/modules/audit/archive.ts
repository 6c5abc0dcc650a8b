import { createReadStream } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Verifier, verifyTrail } from "@securewave/audit-trail";
import { syncDir, writeSynced } from "../../durable-file.ts";

/** Of an index in a file's name, so that names stand in the order of their entries. */
const DIGITS = 12;

/**
 * Writes a part of the trail so that it is whole, verified and on disk before it has its name. Another one from the
 * same entry on is of an attempt that was not finished, and is removed.
 *
 * @param pieces of whole lines
 * @param erasedCount how many of its entries were erased with an account, and so have no contents
 * @returns false when what was written cannot be verified, or lacks the contents of an entry: then it is removed
 */
export async function writeArchive(
  dir: string,
  { from, to }: { from: number; to: number },
  pieces: AsyncIterable<string>,
  verifier: Verifier,
  erasedCount: number,
): Promise<boolean> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const name = `${digitsOf(from)}-${digitsOf(to)}.jsonl`;
  const newPath = join(dir, `${name}.new`);
  try {
    await writeSynced(newPath, pieces);
    if (!(await isComplete(newPath, verifier, erasedCount))) return false;
    await rename(newPath, join(dir, name));
  } finally {
    await rm(newPath, { force: true });
  }
  for (const other of await readdir(dir))
    if (other !== name && other.startsWith(`${digitsOf(from)}-`)) await rm(join(dir, other));
  await syncDir(dir);
  return true;
}

async function isComplete(path: string, verifier: Verifier, erasedCount: number): Promise<boolean> {
  const input = createReadStream(path);
  try {
    const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
    const { isWhole, erased } = await verifyTrail(lines, { verifier });
    return isWhole && erased === erasedCount;
  } finally {
    input.destroy();
  }
}

function digitsOf(index: number): string {
  return String(index).padStart(DIGITS, "0");
}
