import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";

/** Writes a file of lines so that it is whole and on disk before it has its name. */
export async function writeArchive(dir: string, name: string, lines: readonly string[]): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, `${name}.jsonl`);
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(`${lines.join("\n")}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const folder = await open(dir, "r");
  await folder.sync().finally(() => folder.close());
}
