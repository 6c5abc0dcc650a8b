import type { KeyObject } from "node:crypto";
import { openNote, parseBase64, signNote, type Verifier } from "./note.ts";
import { HASH_BYTES } from "./tree.ts";

/** The state of a log at some size, to be signed. */
export interface Checkpoint {
  /** Which log: a name without spaces, such as `vpn.example.org/audit`; who signs has the same name. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

/**
 * Writes a checkpoint as a signed note.
 *
 * @see https://c2sp.org/tlog-checkpoint
 */
export function signCheckpoint({ origin, size, root }: Checkpoint, privateKey: KeyObject): string {
  return signNote(`${origin}\n${size}\n${root.toString("base64")}\n`, origin, privateKey);
}

/**
 * @returns undefined for a note of another form, of a log that has another name than the verifier, or that the
 *   verifier's key has not signed
 */
export function openCheckpoint(note: string, verifier: Verifier): Checkpoint | undefined {
  const text = openNote(note, verifier);
  const checkpoint = text === undefined ? undefined : parseCheckpoint(text);
  return checkpoint?.origin === verifier.name ? checkpoint : undefined;
}

/** Reads the text of a checkpoint, which must be opened first to be believed. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin, size = "", encoded = "", ...rest] = text.split("\n");
  const root = parseBase64(encoded);
  const hasEmptyLine = rest.slice(0, -1).includes("") || rest.at(-1) !== "";
  if (!origin || !/^(0|[1-9]\d{0,14})$/.test(size) || root?.length !== HASH_BYTES || hasEmptyLine)
    return undefined;
  return { origin, size: Number(size), root };
}
