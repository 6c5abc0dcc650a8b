import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { FINGERPRINT_LENGTH } from "@securewave/contracts/node-protocol";
import { equalInConstantTime } from "@securewave/foundation/secret";

/** The node's own key, by which the control plane knows it. */
export interface Credential {
  /** 32 bytes in base64url. */
  readonly publicKey: string;
  /** PKCS #8 DER in base64url. Never leaves the node. */
  readonly privateKey: string;
}

export function createCredential(): Credential {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  // The last 32 bytes of an Ed25519 SPKI are the key itself (RFC 8410 §4).
  const raw = publicKey.subarray(-32).toString("base64url");
  return { publicKey: raw, privateKey: privateKey.toString("base64url") };
}

export function signingKey(privateKey: string): KeyObject {
  return createPrivateKey({ key: Buffer.from(privateKey, "base64url"), format: "der", type: "pkcs8" });
}

/** The public half of a private key, in base64url. */
export function publicOf(privateKey: string): string {
  const spki = createPublicKey(signingKey(privateKey)).export({ type: "spki", format: "der" });
  return spki.subarray(-32).toString("base64url");
}

/** @param raw 32 bytes in base64url */
export function verifyingKey(raw: string): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: raw }, format: "jwk" });
}

/** An Ed25519 signature in base64url. */
export function signText(text: string, key: KeyObject): string {
  return sign(null, Buffer.from(text), key).toString("base64url");
}

export function isSignedBy(key: KeyObject, text: string, signature: string): boolean {
  return verify(null, Buffer.from(text), key, Buffer.from(signature, "base64url"));
}

/** 32 random bytes in base64url. */
export function createNonce(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * Whether a control plane's key is the one that a join token pins.
 *
 * @param rawKey 32 bytes in base64url
 */
export function hasFingerprint(rawKey: string, fingerprint: string): boolean {
  const digest = createHash("sha256").update(Buffer.from(rawKey, "base64url")).digest("base64url");
  return equalInConstantTime(digest.slice(0, FINGERPRINT_LENGTH), fingerprint);
}
