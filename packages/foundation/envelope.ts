import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { defineErrors } from "./errors.ts";
import { invariant } from "./invariant.ts";

const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 1;
const HEADER_BYTES = 2;
const SEALED_KEY_BYTES = HEADER_BYTES + NONCE_BYTES + KEY_BYTES + TAG_BYTES;

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

/** Keys that stay, or a function that gives those of this moment. */
export type MasterKeys = readonly MasterKey[] | (() => readonly MasterKey[]);

/** Which byte of what was sealed names the master key; for statements that look for one. */
export const MASTER_NUMBER_BYTE = 1;

export interface Envelope {
  /**
   * Seals a text under a data key of its own, which is sealed under the newest master key.
   *
   * @param context what the text belongs to, such as a device's id; opening demands the same
   */
  seal(text: string, context: string): Buffer;
  /** @throws envelope.unopenable when the master key is missing, or text or context were changed */
  open(sealed: Uint8Array, context: string): string;
  /**
   * Seals the data key anew under the newest master key; the text stays as it is, and closed.
   *
   * @throws envelope.unopenable when the master key is missing, or the data key was changed
   */
  reseal(sealed: Uint8Array): Buffer;
}

/**
 * Envelope encryption: AES-256-GCM with a fresh data key per text (NIST SP 800-38D), so that
 * rotating the master key means rewrapping 32 bytes and a data key never sees two texts.
 *
 * Layout: format (1), master key number (1), wrapped data key (12 + 32 + 16), text (12 + n + 16).
 */
export function createEnvelope(masterKeys: MasterKeys): Envelope {
  const ring = typeof masterKeys === "function" ? masterKeys : () => masterKeys;
  for (const each of ring()) check(each);

  function sealKey(dataKey: Uint8Array): Buffer {
    const newest = ring()[0];
    invariant(newest, "an envelope needs at least one master key");
    check(newest);
    const header = Buffer.from([FORMAT, newest.number]);
    return Buffer.concat([header, encrypt(newest.key, dataKey, header)]);
  }

  function openKey(bytes: Buffer): Buffer {
    const header = bytes.subarray(0, HEADER_BYTES);
    const master = ring().find((candidate) => candidate.number === header[MASTER_NUMBER_BYTE]);
    if (header[0] !== FORMAT || master === undefined) throw envelopeErrors.unopenable();
    return decrypt(master.key, bytes.subarray(HEADER_BYTES, SEALED_KEY_BYTES), header);
  }

  return {
    seal(text, context) {
      const dataKey = randomBytes(KEY_BYTES);
      return Buffer.concat([sealKey(dataKey), encrypt(dataKey, Buffer.from(text), Buffer.from(context))]);
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed);
      const dataKey = openKey(bytes);
      return decrypt(dataKey, bytes.subarray(SEALED_KEY_BYTES), Buffer.from(context)).toString("utf8");
    },
    reseal(sealed) {
      const bytes = Buffer.from(sealed);
      return Buffer.concat([sealKey(openKey(bytes)), bytes.subarray(SEALED_KEY_BYTES)]);
    },
  };
}

function check({ key, number }: MasterKey): void {
  invariant(key.length === KEY_BYTES, "a master key has 32 bytes");
  invariant(number >= 1 && number <= 255, "a master key's number fits into one byte");
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
