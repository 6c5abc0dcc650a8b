import { type Entry, type EntryBody, SALT_BYTES } from "./entry.ts";
import { parseBase64 } from "./note.ts";
import { type Frontier, HASH_BYTES, isFrontier } from "./tree.ts";

/** What an export or an archive begins with: which part of which trail it holds. */
export interface TrailHeader {
  readonly origin: string;
  /** The text of the verifier key. Only one that was got another way proves anything. */
  readonly key: string;
  /** Index of the first entry. */
  readonly from: number;
  /** Index of the last entry; one less than `from` where there is none. */
  readonly to: number;
  /** Entries of the trail when this was written. */
  readonly size: number;
  /** The frontier before the first entry, in base64: with it a part is verified by itself. */
  readonly frontier: readonly string[];
}

/** A line of an export: the header, entries in order, each checkpoint right behind the last entry that it covers. */
export type TrailLine =
  | { readonly trail: TrailHeader }
  | { readonly entry: Entry }
  | { readonly checkpoint: string };

/** Lines are handed on in pieces of about this many characters. */
const PIECE_CHARACTERS = 64 * 1024;

/**
 * Writes a trail, or a part of one, as JSON lines.
 *
 * @param checkpoints by size; those over as many entries as have been written are put in
 * @returns pieces of whole lines, each line with its newline
 */
export async function* writeTrail(
  header: TrailHeader,
  entries: AsyncIterable<Entry>,
  checkpoints: ReadonlyMap<number, string>,
): AsyncGenerator<string> {
  const checkpointAt = (size: number) => {
    const checkpoint = checkpoints.get(size);
    return checkpoint === undefined ? "" : lineOf({ checkpoint });
  };
  let piece = lineOf({ trail: header });
  if (header.to < header.from) piece += checkpointAt(header.from);
  for await (const entry of entries) {
    piece += lineOf({ entry }) + checkpointAt(entry.index + 1);
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}

/**
 * Reads a line back. Only the one way to write it is taken, so that what a reader sees is what was hashed: a name
 * that stands twice, or more fields than there are, is no line.
 */
export function parseTrailLine(text: string): TrailLine | undefined {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(line) || Object.keys(line).length !== 1 || JSON.stringify(line) !== text) return undefined;
  if (typeof line.checkpoint === "string") return { checkpoint: line.checkpoint };
  if (isHeader(line.trail)) return { trail: line.trail };
  return isEntry(line.entry) ? { entry: line.entry } : undefined;
}

export function frontierOf({ from, frontier }: TrailHeader): Frontier {
  return { size: from, hashes: frontier.map((hash) => Buffer.from(hash, "base64")) };
}

function lineOf(line: TrailLine): string {
  return `${JSON.stringify(line)}\n`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasOnly(value: Record<string, unknown>, names: readonly string[]): boolean {
  return Object.keys(value).every((name) => names.includes(name));
}

function isHeader(value: unknown): value is TrailHeader {
  if (!isRecord(value) || !hasOnly(value, ["origin", "key", "from", "to", "size", "frontier"])) return false;
  const { origin, key, from, to, size, frontier } = value;
  if (typeof origin !== "string" || typeof key !== "string" || !Array.isArray(frontier)) return false;
  if (!isIndex(from) || !isIndex(size) || !Number.isSafeInteger(to)) return false;
  if (Number(to) < from - 1 || Number(to) >= size) return false;
  const hashes = frontier.map((hash) => (typeof hash === "string" ? parseBase64(hash) : undefined));
  return hashes.every((hash) => hash !== undefined) && isFrontier({ size: from, hashes });
}

function isEntry(value: unknown): value is Entry {
  if (!isRecord(value) || !hasOnly(value, ["index", "salt", "body", "leaf"])) return false;
  const { index, salt, body, leaf } = value;
  if (!isIndex(index) || !isBytes(leaf, HASH_BYTES)) return false;
  return salt === null ? body === null : isBytes(salt, SALT_BYTES) && isBody(body);
}

function isBody(value: unknown): value is EntryBody {
  const names = ["kind", "actor", "subject", "details", "time", "origin"];
  if (!isRecord(value) || !hasOnly(value, names) || !isRecord(value.details)) return false;
  const { kind, actor, subject, time, origin = "" } = value;
  return [kind, actor, subject, time, origin].every((text) => typeof text === "string");
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isBytes(value: unknown, length: number): value is string {
  return typeof value === "string" && parseBase64(value)?.length === length;
}
