import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { defineErrors, invariant } from "@securewave/foundation";
import { deriveKey, keyedHash } from "@securewave/foundation/derive";

export const dataKeyErrors = defineErrors("data_keys", {
  forgotten: { status: 500, message: "What belonged to this account was erased." },
  copyBehind: {
    status: 500,
    message:
      "A copy of the data key could not be written: it still holds keys of erased accounts. It is tried again.",
  },
  unopenable: { status: 500, message: "Stored data cannot be opened with the data key of its account." },
});

/** Seals what one account owns, in columns that end in `_sealed`. */
export interface AccountKey {
  /**
   * @param place table and column, such as `devices.name`
   * @param rowId of the row: what is moved to another row or column does not open there
   */
  seal(place: string, rowId: string, text: string): Buffer;
  /** @throws data_keys.unopenable */
  open(place: string, rowId: string, sealed: Uint8Array): string;
  /** By which a text is found among this account's own; tells nothing across accounts. 32 bytes. */
  index(place: string, text: string): Buffer;
}

const ALGORITHM = "aes-256-gcm";
const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Texts are filled up to a multiple, so that their length tells little of them. */
const BLOCK_BYTES = 32;
/** ISO/IEC 7816-4: this byte, then zeros. */
const PADDING_MARK = 0x80;

/**
 * AES-256-GCM with a random nonce (NIST SP 800-38D): format (1), nonce (12), padded text, tag (16). A key seals a few
 * hundred texts in its life, far below the 2^32 at which random nonces wear out.
 *
 * @param key 32 bytes
 */
export function createAccountKey(key: Uint8Array): AccountKey {
  const sealing = deriveKey(key, "account data");
  let indexing: Buffer | undefined;
  return {
    seal(place, rowId, text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, sealing, nonce).setAAD(contextOf(place, rowId));
      return Buffer.concat([
        Buffer.of(FORMAT),
        nonce,
        cipher.update(pad(Buffer.from(text))),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
    },
    open(place, rowId, sealed) {
      const bytes = Buffer.from(sealed);
      if (bytes[0] !== FORMAT || bytes.length < 1 + NONCE_BYTES + TAG_BYTES) throw dataKeyErrors.unopenable();
      const decipher = createDecipheriv(ALGORITHM, sealing, bytes.subarray(1, 1 + NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      }).setAAD(contextOf(place, rowId));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        const padded = [decipher.update(bytes.subarray(1 + NONCE_BYTES, -TAG_BYTES)), decipher.final()];
        return unpad(Buffer.concat(padded)).toString("utf8");
      } catch {
        throw dataKeyErrors.unopenable();
      }
    },
    index(place, text) {
      indexing ??= deriveKey(key, "account index");
      return keyedHash(indexing, `${place}\n${text}`);
    },
  };
}

function contextOf(place: string, rowId: string): Buffer {
  return Buffer.from(`${place}\n${rowId}`);
}

function pad(text: Buffer): Buffer {
  const padded = Buffer.alloc((Math.floor(text.length / BLOCK_BYTES) + 1) * BLOCK_BYTES);
  text.copy(padded);
  padded[text.length] = PADDING_MARK;
  return padded;
}

function unpad(padded: Buffer): Buffer {
  const end = padded.lastIndexOf(PADDING_MARK);
  invariant(end >= 0, "what was sealed was padded");
  return padded.subarray(0, end);
}
