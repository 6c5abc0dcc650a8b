import { createReadStream } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Verifier, verifyTrail } from "@securewave/audit-trail";

/**
 * Writes a part of the trail so that it is whole, verified and on disk before it has its name.
 *
 * @param pieces of whole lines
 * @returns false when what was written cannot be verified: then it has not got its name
 */
export async function writeArchive(
  dir: string,
  name: string,
  pieces: AsyncIterable<string>,
  verifier: Verifier,
): Promise<boolean> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, `${name}.jsonl`);
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    for await (const piece of pieces) await file.write(piece);
    await file.sync();
  } finally {
    await file.close();
  }
  const lines = createInterface({
    input: createReadStream(`${path}.new`),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  const { isWhole } = await verifyTrail(lines, { verifier });
  if (!isWhole) return false;
  await rename(`${path}.new`, path);
  const folder = await open(dir, "r");
  await folder.sync().finally(() => folder.close());
  return true;
}
