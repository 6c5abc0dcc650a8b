import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { sealErrors } from "../errors.ts";
import { bech32, parseBech32 } from "./bech32.ts";

const RECIPIENT_PREFIX = "age";
const IDENTITY_PREFIX = "age-secret-key-";
const KEY_BYTES = 32;
/** The DER forms of X25519 keys up to their 32 bytes (RFC 8410). */
const PRIVATE_DER = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_DER = Buffer.from("302a300506032b656e032100", "hex");

export interface KeyPair {
  readonly privateKey: KeyObject;
  /** 32 bytes. */
  readonly publicBytes: Buffer;
}

/** Makes a key pair: the recipient seals, the identity opens. */
export function createIdentity(): { identity: string; recipient: string } {
  const { privateKey, publicBytes } = createKeyPair();
  const secret = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-KEY_BYTES);
  return {
    identity: bech32(IDENTITY_PREFIX, secret).toUpperCase(),
    recipient: bech32(RECIPIENT_PREFIX, publicBytes),
  };
}

/** @throws backup_seal.invalid_key */
export function recipientOf(identity: string): string {
  return bech32(RECIPIENT_PREFIX, readIdentity(identity).publicBytes);
}

export function isRecipient(text: string): boolean {
  return parseBech32(RECIPIENT_PREFIX, text)?.length === KEY_BYTES;
}

/** @throws backup_seal.invalid_key */
export function readRecipient(text: string): Buffer {
  const bytes = parseBech32(RECIPIENT_PREFIX, text.trim());
  if (bytes?.length !== KEY_BYTES) throw sealErrors.invalidKey({ internal: "recipient" });
  return bytes;
}

/** @throws backup_seal.invalid_key */
export function readIdentity(text: string): KeyPair {
  const bytes = parseBech32(IDENTITY_PREFIX, text.trim());
  if (bytes?.length !== KEY_BYTES) throw sealErrors.invalidKey({ internal: "identity" });
  const der = Buffer.concat([PRIVATE_DER, bytes]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { privateKey, publicBytes: publicBytesOf(createPublicKey(privateKey)) };
}

export function createKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  return { privateKey, publicBytes: publicBytesOf(publicKey) };
}

/** @returns undefined for a public key that leads to a shared secret known to everybody */
export function sharedSecret(privateKey: KeyObject, publicBytes: Uint8Array): Buffer | undefined {
  const der = Buffer.concat([PUBLIC_DER, publicBytes]);
  const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
  try {
    const secret = diffieHellman({ privateKey, publicKey });
    return secret.every((byte) => byte === 0) ? undefined : secret;
  } catch {
    return undefined;
  }
}

function publicBytesOf(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "spki" }).subarray(-KEY_BYTES);
}
