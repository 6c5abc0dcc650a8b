import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../config.ts";
import { writeSecretFile } from "../../secret-file.ts";
import type { BackupKeys } from "./order.ts";

export function backupKeyPathOf({ store }: Pick<Config, "store">): string {
  return join(store.dir, "secrets", "backup-key");
}

/**
 * The keys of the settings; where they name none, those of the file beside the store, which is made at first use.
 *
 * @param make gives a new key that opens
 * @param recipientOf tells whom a key is sealed for
 */
export async function loadBackupKeys(
  config: Pick<Config, "store" | "backups">,
  make: () => Promise<string>,
  recipientOf: (identity: string) => Promise<string>,
): Promise<BackupKeys> {
  const { recipient, key } = config.backups;
  if (key === undefined && recipient !== undefined) return { recipient, identities: [] };
  const text = key?.reveal() ?? (await loadOrCreate(backupKeyPathOf(config), make));
  const identities = parseIdentities(text);
  return { recipient: recipient ?? (await recipientOf(identities[0] ?? "")), identities };
}

/** The newest first; between them commas or line ends. */
export function parseIdentities(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .map((identity) => identity.trim().toUpperCase())
    .filter((identity) => identity !== "");
}

/** Puts a new key before those that there are, which go on opening what was sealed for them. */
export async function rotateKeyFile(path: string, make: () => Promise<string>): Promise<string[]> {
  const former = existsSync(path) ? parseIdentities(await readFile(path, "utf8")) : [];
  const identities = [await make(), ...former];
  await writeSecretFile(path, identities.join("\n"));
  return identities;
}

async function loadOrCreate(path: string, make: () => Promise<string>): Promise<string> {
  if (existsSync(path)) return readFile(path, "utf8");
  const [identity = ""] = await rotateKeyFile(path, make);
  return identity;
}
