import { open, writeFile } from "node:fs/promises";

/** Writes a file that only its owner may read, and has it on disk; its name is once `syncDir` has synced its folder. */
export async function writeSynced(path: string, text: string | AsyncIterable<string>): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    await writeFile(file, text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Has on disk which names there are in a folder. */
export async function syncDir(path: string): Promise<void> {
  const dir = await open(path, "r");
  await dir.sync().finally(() => dir.close());
}
