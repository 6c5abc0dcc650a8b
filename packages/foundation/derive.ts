import { createHmac, hkdfSync } from "node:crypto";

/**
 * Derives a key for one purpose from a longer-lived one, so that no two purposes share a key.
 *
 * @returns 32 bytes
 * @see https://www.rfc-editor.org/rfc/rfc5869
 */
export function deriveKey(key: Uint8Array | string, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", key, "", `securewave ${purpose}`, 32));
}

/** A keyed function of a text: 32 bytes that nobody without the key can tell or predict. */
export function keyedHash(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
