import { existsSync } from "node:fs";
import { createIdentity, recipientOf } from "@securewave/backup";
import { defineErrors } from "@securewave/foundation";
import type { Config } from "../../../config.ts";
import { backupKeyPathOf, rotateKeyFile } from "../keys.ts";
import { keysOf } from "../open.ts";
import type { OrderOf } from "./machine-order.ts";

const keyErrors = defineErrors("backup_keys", {
  none: { status: 404, message: "There is no key of backups here." },
  inSettings: {
    status: 409,
    message:
      "The key is in the settings (BACKUP_KEY or BACKUP_RECIPIENT): put a new one before it there, and start the service anew.",
  },
});

/**
 * Whom backups are sealed for, and what opens them.
 *
 * @throws backup_keys.none
 */
export async function showKeys(_order: OrderOf<"keys">, config: Config): Promise<object> {
  const isInFile = config.backups.key === undefined && config.backups.recipient === undefined;
  if (isInFile) demandKeyFile(config);
  const { recipient, identities } = await keysOf(config);
  return { recipient, identities, file: isInFile ? backupKeyPathOf(config) : null };
}

/** A key made here and now would open nothing that there is. */
function demandKeyFile(config: Config): string {
  const path = backupKeyPathOf(config);
  if (!existsSync(path)) throw keyErrors.none({ detail: `There is no key of backups in ${path}.` });
  return path;
}

/**
 * Makes a new key; what was sealed for those before opens with those.
 *
 * @throws backup_keys.in_settings, backup_keys.none
 */
export async function rotateKeys(_order: OrderOf<"rotate">, config: Config): Promise<object> {
  if (config.backups.key !== undefined || config.backups.recipient !== undefined)
    throw keyErrors.inSettings();
  const path = demandKeyFile(config);
  const identities = await rotateKeyFile(path, async () => createIdentity().identity);
  return { recipient: recipientOf(identities[0] ?? ""), identities, file: path };
}
