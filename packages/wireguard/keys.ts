import { x25519 } from "@noble/curves/ed25519.js";
import { invariant } from "@securewave/foundation";

/** A Curve25519 public key in base64: 44 characters, canonical, a usable point. */
export type PublicKey = string & { readonly key: "public" };
/** A Curve25519 private key in base64, clamped as in RFC 7748 §5. */
export type PrivateKey = string & { readonly key: "private" };
/** A 256-bit secret in base64, mixed into the handshake; never all-zero, which WireGuard reads as "none". */
export type PresharedKey = string & { readonly key: "preshared" };

export type KeyPair = { readonly privateKey: PrivateKey; readonly publicKey: PublicKey };
/** Fills the array with random bytes, as `crypto.getRandomValues` does. */
export type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => unknown;

export const KEY_BYTES = 32;

/** As below, with bit 255 clear, which no reduced u-coordinate has set: it is bit 3 of the 42nd character. */
const PUBLIC_KEY_BASE64 = /^[A-Za-z0-9+/]{41}[A-HQ-Xg-nw-z0-3][AEIMQUYcgkosw048]=$/;
/** How the base64 of every number from 2^255 - 256 to 2^255 - 1 ends. */
const TOPMOST_ENDING = "//38=";

/** 43 characters and one `=`; the last character carries 4 bits, so its two low bits are zero (RFC 4648 §3.5). */
const CANONICAL_BASE64 = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/**
 * The u-coordinates of the points of order 1, 2, 4 and 8 on Curve25519 and its twist, below the prime. A shared
 * secret made with one is all-zero. Their other spellings (p, p + 1 and those with bit 255 set) are refused as
 * non-canonical.
 *
 * @see https://cr.yp.to/ecdh.html "How do I validate Curve25519 public keys?"
 */
export const LOW_ORDER_POINTS: readonly string[] = [
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", // 0
  "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", // 1
  "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=", // 325606250916557431795983626356110631294008115727848805560023387167927233504
  "X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=", // 39382357235489614581723060781553021112529911719440698176882885853963445705823
  "7P///////////////////////////////////////38=", // p - 1
];

const fillFromPlatform: FillRandom = (bytes) => crypto.getRandomValues(bytes);

/** Makes a new key pair. About a millisecond; a server uses `native-keys.ts`. */
export function generateKeyPair(fillRandom: FillRandom = fillFromPlatform): KeyPair {
  const bytes = new Uint8Array(KEY_BYTES);
  fillRandom(bytes);
  return keyPairOf(bytes);
}

/** Makes the key pair of 32 secret bytes, which it clamps in place. */
export function keyPairOf(secret: Uint8Array): KeyPair {
  clamp(secret);
  const privateKey = encodeKey(secret);
  invariant(isPrivateKey(privateKey), "a clamped scalar is a private key");
  return { privateKey, publicKey: publicKeyOf(privateKey) };
}

/** The public half of a private key. */
export function publicKeyOf(privateKey: PrivateKey): PublicKey {
  const publicKey = parsePublicKey(encodeKey(x25519.getPublicKey(decodeKey(privateKey))));
  invariant(publicKey !== undefined, "a clamped scalar gives a usable point");
  return publicKey;
}

export function generatePresharedKey(fillRandom: FillRandom = fillFromPlatform): PresharedKey {
  const bytes = new Uint8Array(KEY_BYTES);
  fillRandom(bytes);
  const key = encodeKey(bytes);
  invariant(isPresharedKey(key), "a random source gives something other than zeros");
  return key;
}

/**
 * Reads a public key. Refused: anything but canonical base64 of 32 bytes, points of low order, and coordinates that
 * are not reduced below the prime. The last two come from no honest program, and each would be a second spelling of
 * another customer's key.
 */
export function parsePublicKey(text: string): PublicKey | undefined {
  return isPublicKey(text) ? text : undefined;
}

/** Reads a private key and clamps it: WireGuard does so itself on setting one, so both forms mean the same key. */
export function parsePrivateKey(text: string): PrivateKey | undefined {
  if (!CANONICAL_BASE64.test(text) || text === LOW_ORDER_POINTS[0]) return undefined;
  const clamped = encodeKey(clamp(decodeKey(text)));
  return isPrivateKey(clamped) ? clamped : undefined;
}

export function parsePresharedKey(text: string): PresharedKey | undefined {
  return isPresharedKey(text) ? text : undefined;
}

/** The 32 bytes of a key's base64. */
export function decodeKey(key: string): Uint8Array<ArrayBuffer> {
  const binary = atob(key);
  invariant(binary.length === KEY_BYTES, "a key has 32 bytes");
  const bytes = new Uint8Array(KEY_BYTES);
  for (let index = 0; index < KEY_BYTES; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

/** The base64 of a key's 32 bytes. */
export function encodeKey(bytes: Uint8Array): string {
  invariant(bytes.length === KEY_BYTES, "a key has 32 bytes");
  return btoa(String.fromCharCode(...bytes));
}

/** RFC 7748 §5, `decodeScalar25519`: in place. */
function clamp(scalar: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
function clamp(scalar: Uint8Array): Uint8Array;
function clamp(scalar: Uint8Array): Uint8Array {
  scalar[0] = (scalar[0] ?? 0) & 248;
  scalar[31] = ((scalar[31] ?? 0) & 127) | 64;
  return scalar;
}

function isPublicKey(text: string): text is PublicKey {
  if (!PUBLIC_KEY_BASE64.test(text) || LOW_ORDER_POINTS.includes(text)) return false;
  return !text.endsWith(TOPMOST_ENDING) || isBelowPrime(decodeKey(text));
}

/** Whether a little-endian number below 2^255 is below p = 2^255 - 19. */
function isBelowPrime(u: Uint8Array): boolean {
  for (let index = 31; index > 0; index--) if (u[index] !== (index === 31 ? 127 : 255)) return true;
  return (u[0] ?? 0) < 237;
}

function isPrivateKey(text: string): text is PrivateKey {
  if (!CANONICAL_BASE64.test(text)) return false;
  const bytes = decodeKey(text);
  return ((bytes[0] ?? 0) & 7) === 0 && ((bytes[31] ?? 0) & 192) === 64;
}

function isPresharedKey(text: string): text is PresharedKey {
  return CANONICAL_BASE64.test(text) && text !== LOW_ORDER_POINTS[0];
}
