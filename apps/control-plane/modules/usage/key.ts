import type { KeyObject } from "node:crypto";
import type { Database } from "@securewave/database";
import { openRatchet, type Ratchet } from "@securewave/forgetting";
import { type KeptMark, openPage, takeKey } from "./sealing.ts";
import { type LedgerState, readPages } from "./store.ts";

/** Why no key opens the ledger. */
export type KeyTrouble =
  /** The ledger's key is not there: totals of this month start afresh. */
  | "key_missing"
  | "key_unreadable"
  /** The key is of another ledger. */
  | "key_foreign"
  /** The table is older than the key, as after a restore: no key opens it any more. */
  | "table_older_than_key";

export type FoundKey =
  | { readonly state: "fits"; readonly ratchet: Ratchet; readonly marks: readonly KeptMark[] }
  /** The ledger was never written; the first flush draws a key. */
  | { readonly state: "unused" }
  | { readonly state: KeyTrouble };

/** Finds the key that opens the ledger as it is, and by it what only it can read of the nodes. Changes nothing. */
export async function findKey(
  db: Database["db"],
  keyFile: string,
  { generation }: LedgerState,
): Promise<FoundKey> {
  if (generation === 0) return { state: "unused" };
  const opening = await openRatchet(keyFile);
  if (opening.state !== "open") {
    return { state: opening.state === "missing" ? "key_missing" : "key_unreadable" };
  }
  const { ratchet } = opening;
  const key = ratchet.keyOf(generation);
  const marks = key && (await openMarks(db, takeKey(key), generation));
  if (marks !== undefined) return { state: "fits", ratchet, marks };
  const [oldest = 0] = ratchet.generations();
  ratchet.close();
  return { state: oldest > generation ? "table_older_than_key" : "key_foreign" };
}

/** @returns undefined when the key does not open every page */
async function openMarks(
  db: Database["db"],
  key: KeyObject,
  generation: number,
): Promise<KeptMark[] | undefined> {
  const marks: KeptMark[] = [];
  const pages = await readPages(db);
  for (const { page, sealed } of pages) {
    const opened = openPage(key, generation, page, sealed);
    if (opened === undefined) return undefined;
    marks.push(...opened);
  }
  return pages.length === 0 ? undefined : marks;
}
