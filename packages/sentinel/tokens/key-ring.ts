import {
  createHmac,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { invariant } from "@securewave/foundation";
import type { Secret } from "@securewave/foundation/secret";

/** A key that signs access tokens; its `kid` stands in each of them. */
export type SigningKey =
  | {
      readonly kid: string;
      readonly algorithm: "HS256";
      /** At least 32 bytes. @see https://www.rfc-editor.org/rfc/rfc7518#section-3.2 */
      readonly secret: Secret;
    }
  | {
      readonly kid: string;
      readonly algorithm: "EdDSA";
      /** Ed25519. @see https://www.rfc-editor.org/rfc/rfc8037#section-3.1 */
      readonly privateKey: KeyObject;
    };

export interface KeyRing {
  /** Signs claims with the first key. */
  sign(claims: Readonly<Record<string, unknown>>): string;
  /** @returns the payload of a token that a key of the ring has signed, as JSON text */
  open(token: string): string | undefined;
}

/** One algorithm with one key; a token cannot choose how it is checked. */
interface Signer {
  sign(text: string): Buffer;
  isSignature(signature: Buffer, text: string): boolean;
}

const KID = /^[A-Za-z0-9_-]{1,64}$/;
const SECRET_BYTES_MIN = 32;

/**
 * Prepares keys for signing and checking. A token names its key by its header, which must be, byte for byte, the
 * one that this key's tokens have: a header that asks for another algorithm, key or place of keys is unknown.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-5
 */
export function createKeyRing(keys: readonly SigningKey[]): KeyRing {
  const signers = new Map<string, Signer>();
  for (const key of keys) {
    invariant(KID.test(key.kid), "a signing key's kid has 1 to 64 letters, digits, - and _");
    signers.set(headerOf(key), key.algorithm === "HS256" ? hmacSigner(key.secret) : edSigner(key.privateKey));
  }
  const kids = new Set(keys.map(({ kid }) => kid));
  invariant(kids.size === keys.length, "each signing key has a kid of its own");
  const [first] = signers;
  invariant(first, "there is a key to sign access tokens with");
  const [firstHeader, firstSigner] = first;

  return {
    sign(claims) {
      const text = `${firstHeader}.${encode(JSON.stringify(claims))}`;
      return `${text}.${firstSigner.sign(text).toString("base64url")}`;
    },
    open(token) {
      const headerEnd = token.indexOf(".");
      const payloadEnd = token.lastIndexOf(".");
      const signer = signers.get(token.slice(0, headerEnd));
      if (!signer || payloadEnd === headerEnd) return undefined;
      const spelt = token.slice(payloadEnd + 1);
      const signature = Buffer.from(spelt, "base64url");
      // One spelling of each signature, so that no token can be respelt into another that is as good.
      if (signature.toString("base64url") !== spelt) return undefined;
      if (!signer.isSignature(signature, token.slice(0, payloadEnd))) return undefined;
      return Buffer.from(token.slice(headerEnd + 1, payloadEnd), "base64url").toString();
    },
  };
}

function headerOf({ algorithm, kid }: SigningKey): string {
  return encode(JSON.stringify({ alg: algorithm, typ: "JWT", kid }));
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}

function hmacSigner(secret: Secret): Signer {
  const bytes = Buffer.from(secret.reveal());
  invariant(bytes.length >= SECRET_BYTES_MIN, "a secret that signs tokens has at least 32 bytes");
  const key = createSecretKey(bytes);
  const signatureOf = (text: string) => createHmac("sha256", key).update(text).digest();
  return {
    sign: signatureOf,
    isSignature(signature, text) {
      const right = signatureOf(text);
      return signature.length === right.length && timingSafeEqual(signature, right);
    },
  };
}

function edSigner(privateKey: KeyObject): Signer {
  invariant(privateKey.asymmetricKeyType === "ed25519", "a key that signs by EdDSA is of Ed25519");
  const publicKey = createPublicKey(privateKey);
  return {
    sign: (text) => sign(null, Buffer.from(text), privateKey),
    isSignature: (signature, text) => verify(null, Buffer.from(text), publicKey, signature),
  };
}
