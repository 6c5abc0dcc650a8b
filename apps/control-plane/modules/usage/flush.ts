import { type KeyObject, randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Tables } from "@securewave/database";
import { type Kysely, sql } from "kysely";
import { type KeptMark, type LedgerRow, sealPage, sealRows } from "./sealing.ts";
import {
  addNextKey,
  type Difference,
  deleteNextRows,
  findDifference,
  insertNextRows,
  lockTables,
  makeNextTable,
  pagesOf,
  readNodeIds,
  replacePages,
  swapTables,
  writeState,
} from "./store.ts";

type Db = Kysely<Tables>;

/** Some 450 kB in one statement: sealing the next ones takes as long as the database needs for these. */
const ROWS_AT_ONCE = 5000;
const LOCK_ATTEMPTS = 5;
const LOCK_RETRY_MS = 5000;

/** What the ledger is to hold. */
export interface NextLedger {
  readonly generation: number;
  readonly key: KeyObject;
  readonly day: string;
  readonly month: number;
  /** Accounts that are known: all that there were a moment ago. Later ones get a row that says that nothing was used. */
  readonly count: number;
  idOf(index: number): string;
  rowOf(index: number): LedgerRow;
  markOf(nodeId: string): KeptMark;
}

/**
 * Writes the whole ledger anew, in an order drawn for this time. Rows, pages and statements depend on which
 * accounts and nodes there are, and on nothing that these did. Call in a transaction.
 *
 * A new table takes the place of the old one: a tenth of the time of updating rows in random order, and the
 * old rows' file is gone at once.
 *
 * @returns accounts that came and went meanwhile
 */
export async function writeLedger(trx: Db, next: NextLedger): Promise<Difference> {
  const { generation, key, month } = next;
  await makeNextTable(trx);
  const order = shuffled(next.count);
  let inserting: Promise<void> = Promise.resolve();
  for (let start = 0; start < order.length; start += ROWS_AT_ONCE) {
    const part = order.subarray(start, start + ROWS_AT_ONCE);
    const ids = Array.from(part, (index) => next.idOf(index));
    const sealed = sealRows(key, generation, ids, (at) => next.rowOf(part[at] ?? 0));
    await inserting;
    inserting = insertNextRows(trx, ids, sealed);
    inserting.catch(() => {}); // shows when it is awaited
  }
  await inserting;
  await addNextKey(trx);

  await lockPatiently(trx);
  const { missing, gone } = await findDifference(trx);
  for (let start = 0; start < missing.length; start += ROWS_AT_ONCE) {
    const ids = missing.slice(start, start + ROWS_AT_ONCE);
    await insertNextRows(
      trx,
      ids,
      sealRows(key, generation, ids, () => ({ month, usedMiB: 0, told: 0 })),
    );
  }
  if (gone.length > 0) await deleteNextRows(trx, gone);
  await swapTables(trx);
  const pages = pagesOf(await readNodeIds(trx), next.markOf);
  await replacePages(
    trx,
    pages.map((marks, page) => sealPage(key, generation, page, marks)),
  );
  await writeState(trx, { generation, flushed_on: next.day });
  return { missing, gone };
}

/** Gives way to whoever has the tables, and lets those pass that wait behind. */
async function lockPatiently(trx: Db): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await sql`savepoint before_lock`.execute(trx);
    try {
      await lockTables(trx);
      return;
    } catch (error) {
      if (attempt === LOCK_ATTEMPTS) throw error;
      await sql`rollback to savepoint before_lock`.execute(trx);
      await sleep(LOCK_RETRY_MS);
    }
  }
}

/** The numbers below a count in random order. */
function shuffled(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
  }
  return order;
}
