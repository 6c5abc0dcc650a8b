import { hashLeaf, sha256 } from "./tree.ts";

/** What somebody did, or what happened to somebody. */
export interface EntryBody {
  readonly kind: string;
  /** Who did it: an id, `system`, or `unknown`. */
  readonly actor: string;
  /** To whom or what: an id, `service`, or `unknown`. */
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** `2026-11-20` for what customers do, to the second for what staff do. */
  readonly time: string;
  /** The day's pseudonym of where it came from, for what was refused. */
  readonly origin?: string;
}

/** One entry as it is exported. */
export interface Entry {
  readonly index: number;
  /** Base64; null once body and salt were archived, or erased with an account: the leaf stays, and with it every proof. */
  readonly salt: string | null;
  readonly body: EntryBody | null;
  /** Base64 */
  readonly leaf: string;
}

/** The kind that accounts for erased entries: for all up to `details.to`, which were moved into an archive. */
export const ARCHIVED_KIND = "audit_archived";

/** The kind that accounts for single entries, those of `details.entries`, which were erased with an account. */
export const ERASED_KIND = "account_erased";

export const SALT_BYTES = 16;

/**
 * The leaf of an entry: `SHA-256(0x00 ‖ index ‖ SHA-256(salt ‖ body))`, the index in 8 bytes, the greatest first, the
 * body as canonical JSON. Body and salt can be erased and the leaf kept: the salt, gone with the body, keeps anybody
 * from guessing the body and trying whether it fits.
 *
 * @param salt 16 random bytes
 */
export function leafOf(index: number, salt: Uint8Array, body: EntryBody): Buffer {
  const content = Buffer.allocUnsafe(40);
  content.writeBigUInt64BE(BigInt(index));
  const hidden = Buffer.concat([salt, Buffer.from(canonicalJson(body))]);
  content.set(sha256(hidden), 8);
  return hashLeaf(content);
}

/** JSON in one form only: names sorted, no spaces. @see https://www.rfc-editor.org/rfc/rfc8785 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  let members = "";
  for (const name of Object.keys(value).sort()) {
    const member: unknown = Reflect.get(value, name);
    if (member === undefined) continue;
    members += `${members && ","}${JSON.stringify(name)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}
