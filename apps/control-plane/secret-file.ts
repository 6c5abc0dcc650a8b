import { mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes a secret that only its owner may read: whole and on disk before it has its name, so that no kill leaves an empty
 * one; and before anything is sealed with it.
 */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(`${text}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const dir = await open(dirname(path), "r");
  await dir.sync().finally(() => dir.close());
}
