import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { defineErrors } from "./errors.ts";
import { invariant } from "./invariant.ts";

const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 1;

export const envelopeErrors = defineErrors("envelope", {
  unopenable: { status: 500, message: "A stored secret cannot be opened with the present master keys." },
});

/** A key that seals data keys. The first of a ring seals; all of them open. */
export interface MasterKey {
  /** Names the key in what it sealed; 1 to 255. */
  readonly number: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

export interface Envelope {
  /**
   * Seals a text under a data key of its own, which is sealed under the newest master key.
   *
   * @param context what the text belongs to, such as a device's id; opening demands the same
   */
  seal(text: string, context: string): Buffer;
  /** @throws envelope.unopenable when the master key is missing, or text or context were changed */
  open(sealed: Uint8Array, context: string): string;
}

/**
 * Envelope encryption: AES-256-GCM with a fresh data key per text (NIST SP 800-38D), so that
 * rotating the master key means rewrapping 32 bytes and a data key never sees two texts.
 *
 * Layout: format (1), master key number (1), wrapped data key (12 + 32 + 16), text (12 + n + 16).
 */
export function createEnvelope(masterKeys: readonly MasterKey[]): Envelope {
  const newest = masterKeys[0];
  invariant(newest, "an envelope needs at least one master key");
  for (const { key, number } of masterKeys) {
    invariant(key.length === KEY_BYTES, "a master key has 32 bytes");
    invariant(number >= 1 && number <= 255, "a master key's number fits into one byte");
  }

  const wrappedBytes = NONCE_BYTES + KEY_BYTES + TAG_BYTES;
  return {
    seal(text, context) {
      const dataKey = randomBytes(KEY_BYTES);
      const header = Buffer.from([FORMAT, newest.number]);
      const wrapped = encrypt(newest.key, dataKey, header);
      return Buffer.concat([header, wrapped, encrypt(dataKey, Buffer.from(text), Buffer.from(context))]);
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed);
      const header = bytes.subarray(0, 2);
      const master = masterKeys.find((candidate) => candidate.number === header[1]);
      if (header[0] !== FORMAT || master === undefined) throw envelopeErrors.unopenable();
      const dataKey = decrypt(master.key, bytes.subarray(2, 2 + wrappedBytes), header);
      return decrypt(dataKey, bytes.subarray(2 + wrappedBytes), Buffer.from(context)).toString("utf8");
    },
  };
}

function encrypt(key: Uint8Array, plain: Uint8Array, context: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(context);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Uint8Array, sealed: Buffer, context: Uint8Array): Buffer {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw envelopeErrors.unopenable();
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  }).setAAD(context);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw envelopeErrors.unopenable();
  }
}
