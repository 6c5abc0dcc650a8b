import type { Told } from "./quota.ts";
import type { LedgerRow } from "./sealing.ts";
import type { Totals } from "./totals.ts";

const MIB = 2 ** 20;

/** Who is told of their usage by the daily flush. */
export interface Notices {
  judge(accountId: string, usedBytes: number, told: Told): { told: Told; tell: 80 | 100 | undefined };
  /** Sends the letters, from memory alone. Called after each flush, also with none. Never rejects. */
  tell(letters: readonly Letter[]): Promise<void>;
}

export interface Letter {
  readonly accountId: string;
  readonly percent: 80 | 100;
}

/** What the rows are to say, while the totals in memory still say what they say. */
export interface NextRows {
  readonly month: number;
  readonly count: number;
  readonly letters: readonly Letter[];
  idOf(index: number): string;
  rowOf(index: number): LedgerRow;
  /** Takes them into the totals. */
  apply(): void;
}

/**
 * A row for each account in the totals, in their order, whoever used anything.
 *
 * @param used whole MiB that come on top, by account; of accounts that are in the totals
 */
export function judgeRows(
  totals: Totals,
  used: ReadonlyMap<string, number>,
  month: number,
  notices: Notices | undefined,
): NextRows {
  const known = totals.count();
  const [slots, usedMiB, told] = [new Uint32Array(known), new Uint32Array(known), new Uint8Array(known)];
  const letters: Letter[] = [];
  let count = 0;
  for (let slot = 0; slot < known; slot++) {
    if (totals.isForgotten(slot)) continue;
    const accountId = totals.idOf(slot);
    const total = totals.usedMiBOf(slot) + (used.get(accountId) ?? 0);
    const verdict = notices?.judge(accountId, total * MIB, toldIn(totals.toldOf(slot)));
    slots[count] = slot;
    usedMiB[count] = total;
    told[count] = verdict?.told ?? totals.toldOf(slot);
    if (verdict?.tell) letters.push({ accountId, percent: verdict.tell });
    count++;
  }
  const slotOf = (index: number) => slots[index] ?? 0;
  return {
    month,
    count,
    letters,
    idOf: (index) => totals.idOf(slotOf(index)),
    rowOf: (index) => ({ month, usedMiB: usedMiB[index] ?? 0, told: told[index] ?? 0 }),
    apply() {
      for (let index = 0; index < count; index++) {
        totals.set(slotOf(index), usedMiB[index] ?? 0, told[index] ?? 0);
      }
    },
  };
}

export function toldIn(percent: number): Told {
  return percent === 80 || percent === 100 ? percent : 0;
}
