import { mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDir, writeSynced } from "./durable-file.ts";

/**
 * Writes a secret that only its owner may read: whole and on disk before it has its name, so that no kill leaves an empty
 * one; and before anything is sealed with it.
 */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeSynced(`${path}.new`, `${text}\n`);
  await rename(`${path}.new`, path);
  await syncDir(dirname(path));
}
