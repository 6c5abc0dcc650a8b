import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { invariant } from "@securewave/foundation";
import { sealErrors } from "../errors.ts";
import { createKeyPair, readIdentity, readRecipient, sharedSecret } from "./keys.ts";

/** The age format, version 1. @see https://age-encryption.org/v1 */
const VERSION_LINE = "age-encryption.org/v1";
const X25519_INFO = "age-encryption.org/v1/X25519";
const FILE_KEY_BYTES = 16;
const TAG_BYTES = 16;
const LINE_LETTERS = 64;
const ZERO_NONCE = Buffer.alloc(12);
/** Ours have a few hundred bytes; other recipients' stanzas may be longer. */
const HEADER_BYTES_MAX = 65_536;

interface Stanza {
  readonly words: readonly string[];
  readonly body: Buffer;
}

/** Makes a file key and the header that gives it to the recipients. */
export function makeHeader(recipients: readonly string[]): { header: Buffer; fileKey: Buffer } {
  invariant(recipients.length > 0, "somebody can open what is sealed");
  const fileKey = randomBytes(FILE_KEY_BYTES);
  const stanzas = recipients.map((recipient) => wrap(fileKey, readRecipient(recipient)));
  const text = `${VERSION_LINE}\n${stanzas.join("")}---`;
  return { header: Buffer.from(`${text} ${unpadded(macOf(fileKey, text))}\n`), fileKey };
}

/**
 * Finds the file key by one of the identities.
 *
 * @param header up to and with the line of its MAC
 * @throws backup_seal.wrong_key, backup_seal.damaged
 */
export function openHeader(header: Buffer, identities: readonly string[]): Buffer {
  const text = header.toString("latin1");
  const { stanzas, authenticated, mac } = parseHeader(text);
  for (const identity of identities) {
    const pair = readIdentity(identity);
    for (const stanza of stanzas) {
      const fileKey = unwrap(stanza, pair);
      if (fileKey === undefined) continue;
      if (!timingSafeEqual(macOf(fileKey, authenticated), mac)) throw damagedHeader();
      return fileKey;
    }
  }
  throw sealErrors.wrongKey();
}

/** @returns the length of the header at the beginning of these bytes; undefined when it goes on */
export function headerLength(bytes: Buffer): number | undefined {
  const versionBytes = Math.min(bytes.length, VERSION_LINE.length);
  if (bytes.toString("latin1", 0, versionBytes) !== VERSION_LINE.slice(0, versionBytes))
    throw damagedHeader();
  const macAt = bytes.indexOf("\n--- ");
  const end = macAt < 0 ? -1 : bytes.indexOf("\n", macAt + 1);
  if (end < 0 && bytes.length > HEADER_BYTES_MAX) throw damagedHeader();
  return end < 0 ? undefined : end + 1;
}

function wrap(fileKey: Buffer, recipient: Buffer): string {
  const ephemeral = createKeyPair();
  const secret = sharedSecret(ephemeral.privateKey, recipient);
  if (secret === undefined) throw sealErrors.invalidKey({ internal: "a recipient of low order" });
  const cipher = createCipheriv(
    "chacha20-poly1305",
    wrapKey(secret, ephemeral.publicBytes, recipient),
    ZERO_NONCE,
    { authTagLength: TAG_BYTES },
  );
  const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
  return `-> X25519 ${unpadded(ephemeral.publicBytes)}\n${unpadded(body)}\n`;
}

function unwrap(stanza: Stanza, pair: ReturnType<typeof readIdentity>): Buffer | undefined {
  const [type, share = "", ...more] = stanza.words;
  const publicBytes = Buffer.from(share, "base64");
  const isOurs = type === "X25519" && more.length === 0 && publicBytes.length === 32;
  if (!isOurs || stanza.body.length !== FILE_KEY_BYTES + TAG_BYTES) return undefined;
  const secret = sharedSecret(pair.privateKey, publicBytes);
  if (secret === undefined) return undefined;
  const key = wrapKey(secret, publicBytes, pair.publicBytes);
  const decipher = createDecipheriv("chacha20-poly1305", key, ZERO_NONCE, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(stanza.body.subarray(FILE_KEY_BYTES));
  try {
    return Buffer.concat([decipher.update(stanza.body.subarray(0, FILE_KEY_BYTES)), decipher.final()]);
  } catch {
    return undefined; // sealed for somebody else
  }
}

function parseHeader(text: string): { stanzas: Stanza[]; authenticated: string; mac: Buffer } {
  const lines = text.split("\n");
  const stanzas: Stanza[] = [];
  let at = 1;
  while (lines[at]?.startsWith("-> ")) {
    const words = (lines[at++] ?? "").slice(3).split(" ");
    let body = "";
    for (;;) {
      const line = lines[at++];
      if (line === undefined || line.length > LINE_LETTERS) throw damagedHeader();
      body += line;
      if (line.length < LINE_LETTERS) break;
    }
    stanzas.push({ words, body: Buffer.from(body, "base64") });
  }
  const macLine = lines[at] ?? "";
  const mac = Buffer.from(macLine.slice(4), "base64");
  if (!macLine.startsWith("--- ") || mac.length !== 32) throw damagedHeader();
  return { stanzas, authenticated: `${lines.slice(0, at).join("\n")}\n---`, mac };
}

function wrapKey(secret: Buffer, ephemeral: Buffer, recipient: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, Buffer.concat([ephemeral, recipient]), X25519_INFO, 32));
}

function macOf(fileKey: Buffer, text: string): Buffer {
  const key = Buffer.from(hkdfSync("sha256", fileKey, "", "header", 32));
  return createHmac("sha256", key).update(text, "latin1").digest();
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

function damagedHeader() {
  return sealErrors.damaged({ internal: "the header of a sealed object" });
}
