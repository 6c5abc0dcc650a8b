import type { Database } from "@securewave/database";
import { openPuncturableFile, type PuncturableFile } from "@securewave/forgetting";
import { defineErrors } from "@securewave/foundation";
import type { Envelope } from "@securewave/foundation/envelope";
import { sealPlain } from "./seal-plain.ts";
import { createDataKeys, type DataKeys, fingerprintOf } from "./service.ts";
import * as store from "./store.ts";

const keyFileErrors = defineErrors("data_key_file", {
  missing: {
    status: 500,
    message:
      "The data key is gone, without which nothing that belongs to an account can be read: put a copy of the file where DATA_KEY_FILE says.",
  },
  foreign: {
    status: 500,
    message:
      "The data key of DATA_KEY_FILE is not the one that this database was sealed with. Put the right one there.",
  },
});

export interface OpenedDataKeys {
  readonly dataKeys: DataKeys;
  readonly file: PuncturableFile;
}

export interface OpenDataKeysOptions {
  readonly database: Database;
  readonly envelope: Envelope;
  /** The key file, and its copies. */
  readonly paths: readonly [string, ...string[]];
}

/**
 * Opens the key file that belongs to the database; a database without accounts gets a new one. Processes that start
 * together on one file agree on it.
 *
 * @throws data_key_file.missing, data_key_file.foreign
 */
export async function openDataKeys({
  database,
  envelope,
  paths,
}: OpenDataKeysOptions): Promise<OpenedDataKeys> {
  const file = await database.transaction(async (trx) => {
    await store.lockDataKey(trx);
    const known = await store.readFingerprint(trx);
    const opened = await openPuncturableFile({ paths, create: known === undefined }).catch(
      (error: unknown) => {
        throw known !== undefined && isMissing(error) ? keyFileErrors.missing() : error;
      },
    );
    const fingerprint = fingerprintOf(opened);
    if (fingerprint && known === undefined) await store.saveFingerprint(trx, fingerprint);
    else if (!fingerprint || !known?.equals(fingerprint)) {
      opened.close();
      throw keyFileErrors.foreign();
    }
    return opened;
  });
  const dataKeys = createDataKeys({ database, keys: file });
  await dataKeys.forgetErased();
  await database.as("worker", () => sealPlain({ database, dataKeys, envelope }));
  return { dataKeys, file };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "forgetting.key_missing";
}
