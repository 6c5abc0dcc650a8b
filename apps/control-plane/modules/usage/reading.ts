import type { KeyObject } from "node:crypto";
import type { Database } from "@securewave/database";
import { generationOf, openRow } from "./sealing.ts";
import { readRows } from "./store.ts";
import { createTotals, type Totals } from "./totals.ts";

/** Opening so many takes some milliseconds, in which nothing else runs. */
const ROWS_AT_ONCE = 1000;

export interface ReadLedger {
  readonly totals: Totals;
  /** The month that the rows are of; undefined where none says. */
  readonly month: number | undefined;
  /** Rows of this generation that the key does not open. */
  readonly unopenable: number;
}

/**
 * Reads the whole ledger into memory, a little at a time. Rows of another month than the given one count as
 * nothing used.
 *
 * @param key undefined where there is none: then only the accounts are known
 */
export async function readLedger(
  database: Database,
  key: KeyObject | undefined,
  generation: number,
  month: number,
): Promise<ReadLedger> {
  const totals = createTotals();
  let written: number | undefined;
  let unopenable = 0;

  function take(accountId: string, sealed: Buffer): void {
    const slot = totals.add(accountId);
    if (key === undefined || generationOf(sealed) === 0) return;
    const row = openRow(key, generation, accountId, sealed);
    if (row === undefined) {
      unopenable++;
      return;
    }
    written = row.month;
    if (row.month === month) totals.set(slot, row.usedMiB, row.told);
  }

  await database.db.transaction().execute(async (trx) => {
    for await (const rows of readRows(trx, ROWS_AT_ONCE)) {
      for (const { account_id, sealed } of rows) take(account_id, sealed);
    }
  });
  return { totals, month: written, unopenable };
}
