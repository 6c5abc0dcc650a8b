import { crc32 } from "node:zlib";
import { createId, ID_PREFIXES, idPattern, invariant } from "@securewave/foundation";
import { createToken, hashToken } from "@securewave/foundation/secret";

export interface NewApiKey {
  /** `key_…` */
  readonly id: string;
  /** Shown to its owner once and kept nowhere: `swk_<id without key_>_<secret>_<checksum>`. */
  readonly text: string;
  /** What the store keeps; 32 bytes. */
  readonly hash: Buffer;
}

export interface ParsedApiKey {
  readonly id: string;
  readonly secretHash: Buffer;
}

const PREFIX = "swk";
const ID_PREFIX = `${ID_PREFIXES.apiKey}_`;
/** The part of an id behind its kind. */
const BARE_ID = idPattern("apiKey").slice(`^${ID_PREFIX}`.length, -1);
const PATTERN = new RegExp(`^${PREFIX}_(${BARE_ID})_[A-Za-z0-9_-]{43}_([0-9a-f]{8})$`);
const CHECKSUM_LENGTH = "_".length + 8;

/**
 * Makes an API key of 256 random bits.
 *
 * @param id of the key that gets a new text; a fresh one otherwise
 */
export function createApiKey(id: string = createId("apiKey")): NewApiKey {
  invariant(id.startsWith(ID_PREFIX), "an API key's id shows its kind");
  const unchecked = createToken(`${PREFIX}_${id.slice(ID_PREFIX.length)}`);
  const text = `${unchecked}_${checksumOf(unchecked)}`;
  invariant(PATTERN.test(text), "an API key reads as one");
  return { id, text, hash: hashToken(text) };
}

/** @returns undefined on what is no API key or was mistyped; whether it is anybody's, the store alone knows */
export function parseApiKey(text: string): ParsedApiKey | undefined {
  const match = PATTERN.exec(text);
  if (!match?.[1] || checksumOf(text.slice(0, -CHECKSUM_LENGTH)) !== match[2]) return undefined;
  return { id: ID_PREFIX + match[1], secretHash: hashToken(text) };
}

/** No secret and no protection: it tells mistyped texts and look-alikes without asking a store. */
function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
