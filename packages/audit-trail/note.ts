import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

/** Who signs: its name and its Ed25519 public key. */
export interface Verifier {
  /** Without spaces and `+`, such as `vpn.example.org/audit`. */
  readonly name: string;
  /** 32 bytes */
  readonly publicKey: Buffer;
}

/** The type of Ed25519 signatures. @see https://c2sp.org/signed-note */
const ED25519 = 1;
const KEY_BYTES = 32;
const ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
const NAME = /^[^\s+]+$/;
/** Others may sign as well; more than these is no note. */
const SIGNATURES_MAX = 64;

/**
 * Signs a text that ends in a newline.
 *
 * @see https://c2sp.org/signed-note
 */
export function signNote(text: string, name: string, privateKey: KeyObject): string {
  if (!text.endsWith("\n") || !NAME.test(name)) throw new TypeError("a text or name that no note can have");
  const verifier = { name, publicKey: rawPublicKey(privateKey) };
  const signature = Buffer.concat([keyId(verifier), sign(null, Buffer.from(text), privateKey)]);
  return `${text}\n— ${name} ${signature.toString("base64")}\n`;
}

/**
 * Tells the text of a note. Signatures of others are not looked at.
 *
 * @returns undefined for what is no note, and for one that the verifier's key has not signed, or not rightly
 */
export function openNote(note: string, verifier: Verifier): string | undefined {
  const end = note.lastIndexOf("\n\n");
  if (end === -1 || !note.endsWith("\n") || /[^\P{Cc}\n]/u.test(note)) return undefined;
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split("\n");
  const signatures = lines.map(parseSignature);
  if (lines.length > SIGNATURES_MAX || signatures.includes(undefined)) return undefined;
  const own = signatures.filter(
    (signature) => signature?.name === verifier.name && signature.id.equals(keyId(verifier)),
  );
  const key = publicKeyOf(verifier);
  const isGood = own.every((signature) => signature && isSignedBy(key, text, signature.bytes));
  return own.length > 0 && isGood ? text : undefined;
}

/** By whom a note says that it was signed last; whether it was, `openNote` tells. Undefined for what is no note. */
export function signerOf(note: string): string | undefined {
  return parseSignature(note.trimEnd().split("\n").at(-1) ?? "")?.name;
}

/** The text in which a key is handed on: `name+id+key`. @see https://pkg.go.dev/golang.org/x/mod/sumdb/note */
export function formatVerifier(verifier: Verifier): string {
  const key = Buffer.concat([Uint8Array.of(ED25519), verifier.publicKey]);
  return `${verifier.name}+${keyId(verifier).toString("hex")}+${key.toString("base64")}`;
}

export function parseVerifier(text: string): Verifier | undefined {
  const [, name, id, encoded = ""] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text.trim()) ?? [];
  const key = parseBase64(encoded);
  if (name === undefined || key?.length !== 1 + KEY_BYTES || key[0] !== ED25519) return undefined;
  const verifier = { name, publicKey: key.subarray(1) };
  return keyId(verifier).toString("hex") === id ? verifier : undefined;
}

export function rawPublicKey(key: KeyObject): Buffer {
  const { x } = createPublicKey(key).export({ format: "jwk" });
  if (x === undefined) throw new TypeError("notes are signed by Ed25519");
  return Buffer.from(x, "base64url");
}

/** @returns undefined for what is not base64 in its one form */
export function parseBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

function parseSignature(line: string): { name: string; id: Buffer; bytes: Buffer } | undefined {
  const [, name, encoded = ""] = /^— ([^\s+]+) (\S+)$/.exec(line) ?? [];
  const bytes = parseBase64(encoded);
  if (name === undefined || bytes === undefined || bytes.length <= ID_BYTES) return undefined;
  return { name, id: bytes.subarray(0, ID_BYTES), bytes: bytes.subarray(ID_BYTES) };
}

function isSignedBy(key: KeyObject, text: string, signature: Buffer): boolean {
  return signature.length === SIGNATURE_BYTES && verify(null, Buffer.from(text), key, signature);
}

function publicKeyOf({ publicKey }: Verifier): KeyObject {
  const jwk = { kty: "OKP", crv: "Ed25519", x: publicKey.toString("base64url") };
  return createPublicKey({ key: jwk, format: "jwk" });
}

function keyId({ name, publicKey }: Verifier): Buffer {
  return createHash("sha256")
    .update(`${name}\n`)
    .update(Uint8Array.of(ED25519))
    .update(publicKey)
    .digest()
    .subarray(0, ID_BYTES);
}
