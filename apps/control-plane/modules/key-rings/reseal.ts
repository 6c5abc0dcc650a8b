import type { Database } from "@securewave/database";
import type { Envelope } from "@securewave/foundation/envelope";
import { SEALED_COLUMNS, type SealedColumn } from "./sealed-columns.ts";
import * as store from "./store.ts";

const BATCH_ROWS = 200;

/**
 * Seals everything anew that another key than the one at work has sealed, in small batches. When it is cut off,
 * the next run goes on with what is left. What cannot be opened is left as it is.
 *
 * @param newest the number of the key at work, asked before each batch
 * @param onUnopenable hears of each such row's table
 */
export async function resealAll(
  database: Database,
  envelope: Envelope,
  newest: () => number,
  onUnopenable: (table: string, error: unknown) => void,
): Promise<void> {
  for (const column of SEALED_COLUMNS) {
    let after: string | undefined = "";
    while (after !== undefined) after = await resealBatch(column, after);
  }

  /** @returns the last row that was looked at; undefined at the end */
  async function resealBatch(column: SealedColumn, after: string): Promise<string | undefined> {
    const rows = await store.listSealedByOthers(database.db, column, newest(), after, BATCH_ROWS);
    const changes = rows.flatMap((row) => {
      try {
        return [{ ...row, resealed: envelope.reseal(row.sealed) }];
      } catch (error) {
        onUnopenable(column.table, error);
        return [];
      }
    });
    if (changes.length > 0) await store.replaceSealed(database.db, column, changes);
    return rows.at(-1)?.key;
  }
}
