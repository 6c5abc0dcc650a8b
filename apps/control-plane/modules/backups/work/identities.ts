import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { defineErrors } from "@securewave/foundation";
import type { Config } from "../../../config.ts";
import { backupKeyPathOf, parseIdentities } from "../keys.ts";
import { keysOf } from "../open.ts";

const identityErrors = defineErrors("backup_identities", {
  unreadable: { status: 422, message: "The file with the key cannot be read." },
  missing: {
    status: 422,
    message: "The key that opens backups is not in the settings. Name its file: --key-file <file>",
  },
});

/** @throws backup_identities.missing, backup_identities.unreadable */
export async function identitiesFor(config: Config, keyFile: string | undefined): Promise<string[]> {
  if (keyFile !== undefined) return parseIdentities(withoutRemarks(await readKeyFile(keyFile)));
  // On a machine that was set up anew, none is made: it would open nothing.
  const isThere = config.backups.key !== undefined || existsSync(backupKeyPathOf(config));
  const { identities } = isThere ? await keysOf(config) : { identities: [] };
  if (identities.length === 0) throw identityErrors.missing();
  return [...identities];
}

function readKeyFile(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw identityErrors.unreadable({ detail: `The file ${path} cannot be read (${error.code}).` });
  });
}

/** As `age-keygen` writes them. */
function withoutRemarks(text: string): string {
  return text.replace(/^#.*$/gm, "");
}
