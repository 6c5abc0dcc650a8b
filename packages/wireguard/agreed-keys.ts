/**
 * Preshared keys that a device and the service agree by ML-KEM-1024 (FIPS 203), so that none goes over the network. With
 * OpenSSL; `agreedPresharedKey` of `derived-keys.ts` is the part that a browser needs too.
 */
import {
  createPrivateKey,
  createPublicKey,
  decapsulate,
  encapsulate,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { type AgreementBinding, agreedPresharedKey } from "./derived-keys.ts";
import type { PresharedKey } from "./keys.ts";

/** FIPS 203, table 3; the same for encapsulation keys and ciphertexts of ML-KEM-1024. */
export const KEM_BYTES = 1568;
/** FIPS 203 §7.1: the two random values, d and then z, that all of a decapsulation key comes from. */
const SEED_BYTES = 64;
/** RFC 9935 §4: the DER that stands before the bytes of an encapsulation key. */
const SPKI_PREFIX = Buffer.from("30820632300b06096086480165030404030382062100", "hex");
/** RFC 9935 §6: the DER before the seed of a decapsulation key, which is all that has to be kept of one. */
const PKCS8_PREFIX = Buffer.from("3054020100300b060960864801650304040304428040", "hex");

/** What a client makes for one agreement. Keep the seed, and only until the ciphertext is opened. */
export interface Agreement {
  /** For the service; base64. */
  readonly encapsulationKey: string;
  /** Secret; 64 bytes in base64, as `keygen` of other libraries takes them. */
  readonly seed: string;
}

/**
 * The service's part: makes a preshared key for a device, and the ciphertext by which the device alone gets it too.
 *
 * @param encapsulationKey in base64
 * @returns undefined when it is not an encapsulation key: not 1568 bytes, or refused by the check of FIPS 203 §7.2
 */
export function agreePresharedKey(
  encapsulationKey: string,
  binding: AgreementBinding,
): { readonly presharedKey: PresharedKey; readonly ciphertext: string } | undefined {
  const key = parseEncapsulationKey(encapsulationKey);
  if (!key) return undefined;
  const { sharedKey, ciphertext } = encapsulate(key);
  return { presharedKey: agreedPresharedKey(sharedKey, binding), ciphertext: ciphertext.toString("base64") };
}

/**
 * The client's part, first half.
 *
 * @param seed 64 secret random bytes
 */
export function generateAgreement(seed: Buffer = randomBytes(SEED_BYTES)): Agreement {
  const spki = createPublicKey(decapsulationKey(seed)).export({ type: "spki", format: "der" });
  const encapsulationKey = spki.subarray(SPKI_PREFIX.length).toString("base64");
  return { encapsulationKey, seed: seed.toString("base64") };
}

/**
 * The client's part, second half. A ciphertext that was changed on the way gives another key, with which no handshake
 * succeeds: that is how FIPS 203 §6.3 has it.
 *
 * @returns undefined when seed or ciphertext have the wrong length
 */
export function openAgreement(
  seed: string,
  ciphertext: string,
  binding: AgreementBinding,
): PresharedKey | undefined {
  const [seedBytes, sent] = [Buffer.from(seed, "base64"), Buffer.from(ciphertext, "base64")];
  if (seedBytes.length !== SEED_BYTES || sent.length !== KEM_BYTES) return undefined;
  return agreedPresharedKey(decapsulate(decapsulationKey(seedBytes), sent), binding);
}

function decapsulationKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
}

function parseEncapsulationKey(text: string): KeyObject | undefined {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length !== KEM_BYTES) return undefined;
  try {
    return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: "der", type: "spki" });
  } catch {
    return undefined; // OpenSSL checks on reading that each coefficient is below the modulus
  }
}
