import {
  EMPTY_FRONTIER,
  type Entry,
  formatVerifier,
  type Verifier,
  writeTrail,
} from "@securewave/audit-trail";
import type { Tables } from "@securewave/database";
import type { Kysely } from "kysely";
import { extend } from "./signing.ts";
import * as store from "./store.ts";

/** Which entries, of a trail of how many. */
export interface Part {
  readonly from: number;
  /** Before this one. */
  readonly end: number;
  readonly size: number;
}

/** Writes a part of the trail, with what it takes to verify it by itself. */
export async function readPart(
  db: Kysely<Tables>,
  { from, end, size }: Part,
  verifier: Verifier,
): Promise<AsyncIterable<string>> {
  const before = await extend(db, EMPTY_FRONTIER, from);
  const frontier = before.hashes.map((hash) => hash.toString("base64"));
  const { name: origin } = verifier;
  const header = { origin, key: formatVerifier(verifier), from, to: end - 1, size, frontier };
  return writeTrail(header, entriesOf(db, from, end), await store.readCheckpoints(db, from, end));
}

/**
 * Hands pieces on, and breaks off what was sent of entries that were archived meanwhile: their contents are missing in
 * it, and what accounts for that comes behind its end.
 */
export async function* unlessArchived(
  db: Kysely<Tables>,
  from: number,
  pieces: AsyncIterable<string>,
): AsyncGenerator<string> {
  const first = await store.firstKept(db);
  yield* pieces;
  const present = (await store.firstKept(db)) ?? 0;
  if (present !== (first ?? 0) && present > from)
    throw new Error("the audit trail was archived while it was exported");
}

async function* entriesOf(db: Kysely<Tables>, from: number, end: number): AsyncGenerator<Entry> {
  for await (const { index, leaf, salt, body } of store.entriesOf(db, from, end)) {
    yield { index, salt: salt?.toString("base64") ?? null, body, leaf: leaf.toString("base64") };
  }
}
