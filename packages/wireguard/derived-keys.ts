import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { invariant } from "@securewave/foundation";
import { encodeKey, type PresharedKey, parsePresharedKey } from "./keys.ts";

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
