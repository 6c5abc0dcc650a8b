import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { invariant } from "@securewave/foundation";
import { encodeKey, KEY_BYTES, type PresharedKey, parsePresharedKey } from "./keys.ts";

/**
 * Makes the preshared key of a device from one secret and the device's public key, so that none needs to be
 * stored: HMAC-SHA-256 of the key's base64 text.
 *
 * A node that connects needs thousands at once; from a prepared state each takes a quarter of the time that
 * node:crypto needs to set one up.
 *
 * @param secret 32 bytes used for nothing else
 */
export function createPresharedKeys(secret: Uint8Array): (publicKey: string) => PresharedKey {
  const prepared = hmac.create(sha256, secret);
  const encoder = new TextEncoder();
  return (publicKey) => {
    const bytes = prepared.clone().update(encoder.encode(publicKey)).digest();
    const key = parsePresharedKey(encodeKey(bytes));
    invariant(key !== undefined, "32 bytes of a hash make a preshared key");
    return key;
  };
}

/** What an agreed key is for: used with another device or key, the same shared secret gives another preshared key. */
export interface AgreementBinding {
  readonly deviceId: string;
  readonly publicKey: string;
}

const AGREED_KEY_LABEL = "securewave preshared key v1";

/**
 * Makes the preshared key that a device has agreed with the service: HKDF-SHA-256 (RFC 5869), salted with the device's
 * id, for the label and right behind it the base64 of the device's public key.
 *
 * @param sharedSecret the 32 bytes of ML-KEM-1024
 */
export function agreedPresharedKey(
  sharedSecret: Uint8Array,
  { deviceId, publicKey }: AgreementBinding,
): PresharedKey {
  const encoder = new TextEncoder();
  const [salt, info] = [deviceId, AGREED_KEY_LABEL + publicKey].map((text) => encoder.encode(text));
  const key = parsePresharedKey(encodeKey(hkdf(sha256, sharedSecret, salt, info, KEY_BYTES)));
  invariant(key !== undefined, "32 bytes of a hash make a preshared key");
  return key;
}
