import type { Database } from "@securewave/database";
import { defineErrors, isRefusalOf } from "@securewave/foundation";
import { deriveKey } from "@securewave/foundation/derive";
import { createEnvelope, envelopeErrors, type MasterKey } from "@securewave/foundation/envelope";
import * as store from "./store.ts";

const rootErrors = defineErrors("master_key", {
  wrong: {
    status: 500,
    message:
      "What is in the store was not sealed with MASTER_KEY. Set the right one, or, if you have changed it, the former one as MASTER_KEY_PREVIOUS as well.",
  },
});

/** MASTER_KEY and, after it was changed, the one before; 32 bytes each. */
export interface Roots {
  readonly present: Uint8Array;
  readonly previous?: Uint8Array | undefined;
}

/** Seals the keys of the ring under a root key. */
export function sealUnder(root: Uint8Array, { number, key }: MasterKey): Buffer {
  return envelopeOf(root).seal(Buffer.from(key).toString("base64"), contextOf(number));
}

/** @throws envelope.unopenable */
export function openUnder(root: Uint8Array, number: number, sealed: Uint8Array): Uint8Array {
  return Buffer.from(envelopeOf(root).open(sealed, contextOf(number)), "base64");
}

function envelopeOf(root: Uint8Array) {
  return createEnvelope([{ number: 1, key: deriveKey(root, "ring of encryption keys") }]);
}

function contextOf(number: number): string {
  return `encryption key ${number}`;
}

/**
 * Brings the ring under the present root key: what the previous one has sealed is sealed anew. While the ring is
 * empty, the root key that the store began with is its key number 1.
 *
 * @throws master_key.wrong when neither root key opens what is there
 */
export async function settleRing(database: Database, roots: Roots, today: string): Promise<void> {
  const { present, previous } = roots;
  await database.transaction(async (trx) => {
    await store.lockRing(trx, "encryption_keys");
    const rows = await store.listEncryptionKeys(trx);
    for (const { number, sealed_key } of rows) {
      if (tryOpen(present, number, sealed_key)) continue;
      const key = previous && tryOpen(previous, number, sealed_key);
      if (!key) throw rootErrors.wrong();
      await store.resealEncryptionKey(trx, number, sealUnder(present, { number, key }));
    }
    if (rows.length > 0) return;
    const sample = await store.findSealed(trx);
    if (sample === undefined || hasSealed(present, sample)) return;
    if (!previous || !hasSealed(previous, sample)) throw rootErrors.wrong();
    await store.insertEncryptionKey(trx, {
      number: 1,
      sealed_key: sealUnder(present, { number: 1, key: previous }),
      state: "sealing",
      created_on: today,
    });
  });
}

function tryOpen(root: Uint8Array, number: number, sealed: Buffer): Uint8Array | undefined {
  return ifOpened(() => openUnder(root, number, sealed));
}

/** Whether a root key is itself the key number 1 that something was sealed with. */
function hasSealed(root: Uint8Array, sealed: Buffer): boolean {
  const envelope = createEnvelope([{ number: 1, key: root }]);
  return ifOpened(() => envelope.reseal(sealed)) !== undefined;
}

function ifOpened<Value>(open: () => Value): Value | undefined {
  try {
    return open();
  } catch (error) {
    if (isRefusalOf(error, envelopeErrors.unopenable)) return undefined;
    throw error;
  }
}
