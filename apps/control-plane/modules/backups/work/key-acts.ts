import { createIdentity, recipientOf } from "@securewave/backup";
import { defineErrors } from "@securewave/foundation";
import type { Config } from "../../../config.ts";
import { backupKeyPathOf, rotateKeyFile } from "../keys.ts";
import { keysOf } from "../open.ts";
import type { OrderOf } from "./machine-order.ts";

const keyErrors = defineErrors("backup_keys", {
  inSettings: {
    status: 409,
    message:
      "The key is in the settings (BACKUP_KEY or BACKUP_RECIPIENT): put a new one before it there, and start the service anew.",
  },
});

/** Whom backups are sealed for, and what opens them. */
export async function showKeys(_order: OrderOf<"keys">, config: Config): Promise<object> {
  const { recipient, identities } = await keysOf(config);
  const isInFile = config.backups.key === undefined && config.backups.recipient === undefined;
  return { recipient, identities, file: isInFile ? backupKeyPathOf(config) : null };
}

/**
 * Makes a new key; what was sealed for those before opens with those.
 *
 * @throws backup_keys.in_settings
 */
export async function rotateKeys(_order: OrderOf<"rotate">, config: Config): Promise<object> {
  if (config.backups.key !== undefined || config.backups.recipient !== undefined)
    throw keyErrors.inSettings();
  const path = backupKeyPathOf(config);
  const identities = await rotateKeyFile(path, async () => createIdentity().identity);
  return { recipient: recipientOf(identities[0] ?? ""), identities, file: path };
}
