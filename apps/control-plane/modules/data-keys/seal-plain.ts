import type { Database, Tables } from "@securewave/database";
import { invariant } from "@securewave/foundation";
import type { Envelope } from "@securewave/foundation/envelope";
import type { Kysely } from "kysely";
import type { AccountKey } from "./account-key.ts";
import { openNested, sealNested } from "./nested.ts";
import { PLACES } from "./places.ts";
import type { DataKeys } from "./service.ts";
import * as store from "./store.ts";

/** Rows of one transaction. */
const BATCH_ROWS = 500;
/** What a table still holds of values that were written over is gone once it is written anew. */
const REWRITTEN = ["accounts", "devices", "passkeys", "api_keys", "unsealed"];

interface Sealing {
  readonly database: Database;
  readonly dataKeys: DataKeys;
  readonly envelope: Envelope;
}

/**
 * Seals what an earlier version kept as plain text, and under account keys what it sealed by the envelope alone;
 * processes that start together do it once.
 */
export async function sealPlain({ database, dataKeys: keys, envelope }: Sealing): Promise<void> {
  let count = 0;
  for (;;) {
    const sealed = await database.transaction(async (trx) => {
      await store.lockDataKey(trx);
      const rows = await store.listUnsealed(trx, BATCH_ROWS);
      for (const row of rows) {
        await fill(trx, keys, row);
        await nestSecrets(trx, keys.of(row.number), envelope, row);
        await store.deleteUnsealed(trx, row);
      }
      return rows.length;
    });
    count += sealed;
    if (sealed < BATCH_ROWS) break;
  }
  if (count > 0) for (const table of REWRITTEN) await database.pool.query(`vacuum full ${table}`);
}

async function fill(
  trx: Kysely<Tables>,
  keys: DataKeys,
  { place, row_id: id, value, number }: store.UnsealedRow & { number: number },
): Promise<void> {
  const key = keys.of(number);
  switch (place) {
    case PLACES.email:
      return store.fillEmail(trx, id, keys.emailIndex(value), key.seal(place, id, value));
    case PLACES.password:
      return store.fillPassword(trx, id, key.seal(place, id, value));
    case PLACES.deviceName:
      return store.fillDeviceName(trx, id, key.index(place, value), key.seal(place, id, value));
    case PLACES.passkeyName:
      return store.fillName(trx, "passkeys", id, key.seal(place, id, value));
    case PLACES.apiKeyName:
      return store.fillName(trx, "api_keys", id, key.seal(place, id, value));
    default:
      invariant(false, "plain values are of known places");
  }
}

/** Seals the secret that belongs to a row under the account's key as well. */
async function nestSecrets(
  trx: Kysely<Tables>,
  key: AccountKey,
  envelope: Envelope,
  { place, row_id: rowId }: store.UnsealedRow,
): Promise<void> {
  if (place === PLACES.deviceName) {
    const secret = {
      envelope,
      key,
      place: PLACES.devicePrivateKey,
      rowId,
      context: `private key of ${rowId}`,
    };
    const sealed = await store.findSealedKey(trx, rowId);
    if (sealed) await store.fillSealedKey(trx, rowId, sealNested(secret, openNested(secret, sealed)));
  }
  if (place === PLACES.password) {
    const secret = { envelope, key, place: PLACES.secondFactor, rowId, context: `second factor ${rowId}` };
    const sealed = await store.findSealedFactor(trx, rowId);
    if (sealed) await store.fillSealedFactor(trx, rowId, sealNested(secret, openNested(secret, sealed)));
  }
}
