import type { Database } from "@securewave/database";
import { createRatchet, type Ratchet } from "@securewave/forgetting";
import { type Clock, DAY_MS, invariant } from "@securewave/foundation";
import type { ClosedBatch, Mark, MonthOfUse } from "@securewave/live";
import { createBeforeMonth, sumOf, type UnsettledUsage } from "./before-month.ts";
import { writeLedger } from "./flush.ts";
import { findKey, type KeyTrouble } from "./key.ts";
import { judgeRows, type Letter, type Notices, toldIn } from "./next-rows.ts";
import { monthOf, type Told } from "./quota.ts";
import { readLedger } from "./reading.ts";
import { daysSince, flushDay, isDue, type MinuteOfDay } from "./schedule.ts";
import { type KeptMark, takeKey } from "./sealing.ts";
import { type Difference, type LedgerState, readFreshIds, readState, takeFlushLock } from "./store.ts";
import { createTotals, type Totals } from "./totals.ts";

const MIB = 2 ** 20;
/** A process without the key leaves the ledger to those that have it; after so long there are none. */
const ABANDONED_AFTER_DAYS = 2;
const NOT_LOADED = -1;

/** The usage of those who want it kept, day by day. */
export interface UsageHistory {
  /** @param day the one that is over */
  writeDay(trx: Database["db"], day: string, mebibytesOf: (accountId: string) => number): Promise<void>;
}

/** What keeps totals from being read or written. Nobody is ever blocked for it. */
export type LedgerTrouble =
  | KeyTrouble
  /** Single rows do not open; their accounts start afresh. */
  | "rows_unopenable"
  /** The last flush failed; the former generation stands, and it is tried again. */
  | "flush_failed"
  /** What another process wrote could not be read; the next flush reads it. */
  | "reload_failed";

export interface LedgerOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** No backup may read its folder. */
  readonly keyFile: string;
  readonly flushAt: MinuteOfDay;
  readonly usage: UnsettledUsage;
  readonly notices?: Notices;
  readonly history?: UsageHistory;
  /** Hears of each trouble as it begins. */
  onTrouble(trouble: LedgerTrouble, cause?: unknown): void;
  /** Tells the other processes that the ledger was rewritten; they call `reload`. */
  announce?(): void;
}

export type FlushOutcome =
  /** All rows were rewritten. */
  | "flushed"
  | "not_due"
  /** Another process is at it. */
  | "elsewhere"
  /** The key is not here, and others may have it. */
  | "left_to_others"
  /** Nothing has changed, or it is not known whether it has; the next try finds out. */
  | "failed";

export interface Ledger {
  /**
   * Reads which batches of nodes the ledger holds, and begins to read the totals: until these are there, what is
   * unsettled is all that anybody has used.
   */
  open(): Promise<void>;
  /** Resolves when the totals are in memory. */
  loaded(): Promise<void>;
  /** Reads everything anew if another process has rewritten it. @returns whether one had */
  reload(): Promise<boolean>;
  /** Up to which batch of which incarnation a node's figures are in the ledger. */
  markOf(nodeId: string): Mark | undefined;
  readonly monthOfUse: MonthOfUse;
  /** Bytes in both directions, as of this moment and from memory. */
  usedThisMonth(accountId: string): number;
  toldOf(accountId: string): Told;
  /** Everybody who used anything this month. */
  forEachUsed(each: (accountId: string, bytes: number) => void): void;
  /** Hears when totals may have changed otherwise than by use: loaded, flushed, a new month. */
  onChanged(changed: () => void): () => void;
  /** Rewrites the ledger when its time has come. Never rejects. */
  flushIfDue(): Promise<FlushOutcome>;
  /** The troubles that last. */
  troubles(): readonly LedgerTrouble[];
  close(): void;
}

/** A flush of which it is not known yet whether it was committed. */
interface Pending {
  readonly generation: number;
  readonly batch: ClosedBatch;
  /** Takes what was written into memory. */
  apply(): void;
  readonly letters: readonly Letter[];
}

/** The sealed ledger of what accounts used this month (R3), and what it says, in memory. */
export function createLedger(options: LedgerOptions): Ledger {
  const { database, clock, keyFile, flushAt, usage, notices } = options;
  const beforeMonth = createBeforeMonth();
  const listeners = new Set<() => void>();
  const troubles = new Set<LedgerTrouble>();
  let generation = NOT_LOADED;
  let totals: Totals = createTotals();
  let marks = new Map<string, KeptMark>();
  /** Of the last rewriting, whoever did it: nodes without a mark have come since. */
  let flushedMonth: number | undefined;
  /** That `totals` are of. */
  let month = monthOf(clock.now());
  let ratchet: Ratchet | undefined;
  let pending: Pending | undefined;
  let loading: Promise<void> = Promise.resolve();
  let flushing: Promise<FlushOutcome> | undefined;

  function begins(trouble: LedgerTrouble, cause?: unknown): void {
    troubles.add(trouble);
    options.onTrouble(trouble, cause);
  }

  function changed(): void {
    for (const listener of [...listeners]) listener();
  }

  /** Begins a new month the first time that anybody asks in it. */
  function isInMonth(): boolean {
    const present = monthOf(clock.now());
    // A clock that was set back finds its totals again when it is right; until then nobody has used anything.
    if (present <= month) return present === month;
    month = present;
    totals.clear();
    beforeMonth.begin(usage);
    changed();
    return true;
  }

  function monthOfMark(nodeId: string): number {
    return marks.get(nodeId)?.month ?? flushedMonth ?? month;
  }

  function baseOf(accountId: string): number {
    const slot = totals.find(accountId);
    return slot === undefined ? 0 : totals.usedMiBOf(slot) * MIB;
  }

  function usedThisMonth(accountId: string): number {
    if (!isInMonth() || beforeMonth.isEverything()) return 0;
    return baseOf(accountId) + Math.max(0, usage.unsettledOf(accountId) - beforeMonth.of(accountId));
  }

  async function loadKey(state: LedgerState): Promise<void> {
    for (const trouble of KEY_TROUBLES) troubles.delete(trouble);
    ratchet?.close();
    ratchet = undefined;
    marks = new Map();
    flushedMonth = state.flushed_on === null ? undefined : monthOf(Date.parse(state.flushed_on));
    const found = await findKey(database.db, keyFile, state);
    if (found.state === "unused") return;
    if (found.state !== "fits") {
      begins(found.state);
      return;
    }
    ratchet = found.ratchet;
    marks = new Map(found.marks.map((mark) => [mark.nodeId, mark]));
    // A key that should be gone and stays is a trouble; that the ledger can be read is none.
    await ratchet.settleAt(state.generation).catch((error: unknown) => begins("flush_failed", error));
  }

  async function loadRows(state: LedgerState): Promise<void> {
    isInMonth();
    const isFirst = generation === NOT_LOADED;
    const key = ratchet?.keyOf(state.generation);
    const read = await readLedger(database, key && takeKey(key), state.generation, month);
    const present = await readState(database.db);
    if (present.generation !== state.generation) {
      await loadKey(present); // it was rewritten meanwhile
      await loadRows(present);
      return;
    }
    troubles.delete("rows_unopenable");
    if (read.unopenable > 0) begins("rows_unopenable");
    totals = read.totals;
    generation = state.generation;
    const lastMonth = read.month ?? flushedMonth ?? month;
    // What nodes have not settled may be of the month before, and nobody knows any more how much of it.
    if (isFirst && lastMonth !== month) beforeMonth.beginWithEverything();
    if (!isFirst) beforeMonth.shrink(usage);
    changed();
  }

  /** Resolves when the marks are there; `loading` when the rows are. */
  async function load(): Promise<void> {
    const state = await readState(database.db);
    await loadKey(state);
    loading = loadRows(state);
    loading.catch(() => {}); // shows where it is awaited, and is done again by the next flush
  }

  async function settlePending(state: LedgerState): Promise<void> {
    if (pending === undefined) return;
    const { batch, apply, letters, generation: written } = pending;
    pending = undefined;
    if (state.generation === written) {
      apply();
      batch.settled();
      options.announce?.();
      changed();
      await notices?.tell(letters);
    } else {
      batch.abandon();
    }
    await ratchet?.settleAt(state.generation);
  }

  /** Nobody else can have the key, or nobody has used it for days. */
  function isAlone({ flushed_on }: LedgerState): boolean {
    if (database.kind === "embedded" || flushed_on === null) return true;
    return daysSince(flushed_on, clock.now(), flushAt) >= ABANDONED_AFTER_DAYS;
  }

  function isTime(state: LedgerState): boolean {
    if (isDue(clock.now(), flushAt, state.flushed_on) || beforeMonth.isEverything()) return true;
    return state.generation > 0 && ratchet === undefined && isAlone(state);
  }

  async function flush(): Promise<FlushOutcome> {
    await loading.catch(() => {});
    const turn = async (trx: Database["db"]): Promise<FlushOutcome> => {
      if (!(await takeFlushLock(trx))) return "elsewhere";
      const state = await readState(trx);
      await settlePending(state);
      if (state.generation !== generation) {
        await load();
        await loading;
      }
      await ratchet?.settleAt(state.generation); // where the key could not be written the last time
      if (!isTime(state)) return "not_due";
      if (ratchet === undefined && !isAlone(state)) return "left_to_others";
      ratchet ??= await createRatchet(keyFile, state.generation);
      await rewrite(trx, ratchet);
      return "flushed";
    };
    // It puts a new table in the place of the ledger, which is for its owner.
    const outcome = await database.as("owner", () => database.db.transaction().execute(turn));
    if (outcome === "flushed") {
      await settlePending(await readState(database.db));
      for (const trouble of KEY_TROUBLES) troubles.delete(trouble);
    }
    if (outcome !== "elsewhere") for (const trouble of PASSING_TROUBLES) troubles.delete(trouble);
    return outcome;
  }

  async function rewrite(trx: Database["db"], present: Ratchet): Promise<void> {
    const nowMs = clock.now();
    if (!isInMonth()) {
      // The clock was set back for good: what was counted is of a month that is yet to come.
      month = monthOf(nowMs);
      totals.clear();
      beforeMonth.beginWithEverything();
    }
    const next = await present.begin();
    const key = present.keyOf(next);
    invariant(key, "a generation that was begun has a key");
    const batch = await usage.closeBatch();
    pending = { generation: next, batch, letters: [], apply() {} }; // so that it is abandoned if what follows fails
    // Every account comes into the totals by this one way, whether it has used anything or not. None that used
    // something is missing: it was there before the batch was closed.
    for (const accountId of await readFreshIds(trx)) totals.add(accountId);
    const rows = judgeRows(totals, beforeMonth.takeFrom(batch), month, notices);
    const nextMonth = rows.month;
    const nextMarks = new Map(marks);
    for (const mark of batch.marks) nextMarks.set(mark.nodeId, { ...mark, month: nextMonth });
    const markOf = (nodeId: string): KeptMark => {
      const mark = nextMarks.get(nodeId);
      if (mark) return mark;
      const first = { nodeId, incarnation: "", batch: 0, month: flushedMonth ?? nextMonth };
      nextMarks.set(nodeId, first);
      return first;
    };
    let difference: Difference = { missing: [], gone: [] };
    pending = {
      generation: next,
      batch,
      letters: rows.letters,
      apply() {
        if (month === rows.month) rows.apply();
        for (const accountId of difference.missing) totals.add(accountId);
        for (const accountId of difference.gone) totals.forget(accountId);
        marks = nextMarks;
        flushedMonth = nextMonth;
        generation = next;
        beforeMonth.settled(batch, usage);
      },
    };
    const settled = sumOf(batch);
    const mebibytesOf = (accountId: string) => Math.floor((settled.get(accountId) ?? 0) / MIB);
    // Before the ledger, which nobody else can get at once it is locked.
    await options.history?.writeDay(trx, flushDay(nowMs - DAY_MS, flushAt), mebibytesOf);
    difference = await writeLedger(trx, {
      generation: next,
      key: takeKey(key),
      day: flushDay(nowMs, flushAt),
      month: rows.month,
      count: rows.count,
      idOf: rows.idOf,
      rowOf: rows.rowOf,
      markOf,
    });
  }

  async function failed(error: unknown): Promise<FlushOutcome> {
    begins("flush_failed", error);
    // Whether it was committed is known as soon as the database can be asked: the next try asks again.
    await readState(database.db)
      .then(settlePending)
      .catch(() => {});
    return "failed";
  }

  return {
    open: load,
    loaded: () => loading,
    async reload() {
      await loading.catch(() => {});
      if ((await readState(database.db)).generation === generation) return false;
      await load();
      await loading;
      return true;
    },
    markOf: (nodeId) => marks.get(nodeId),
    monthOfUse: {
      isEarlier(nodeId, reportedAtMs) {
        const earliest = reportedAtMs === undefined ? monthOfMark(nodeId) : monthOf(reportedAtMs);
        return isInMonth() && earliest < month;
      },
      leaveOut: beforeMonth.add,
    },
    usedThisMonth,
    toldOf(accountId) {
      const slot = isInMonth() ? totals.find(accountId) : undefined;
      return slot === undefined ? 0 : toldIn(totals.toldOf(slot));
    },
    forEachUsed(each) {
      if (!isInMonth() || beforeMonth.isEverything()) return;
      for (let slot = 0; slot < totals.count(); slot++) {
        if (totals.usedMiBOf(slot) === 0) continue;
        const accountId = totals.idOf(slot);
        each(accountId, usedThisMonth(accountId));
      }
      const fresh = new Set<string>();
      usage.forEachUnsettled((accountId) => {
        if (baseOf(accountId) === 0) fresh.add(accountId);
      });
      for (const accountId of fresh) each(accountId, usedThisMonth(accountId));
    },
    onChanged(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    flushIfDue() {
      flushing ??= flush()
        .catch(failed)
        .finally(() => {
          flushing = undefined;
        });
      return flushing;
    },
    troubles: () => [...troubles],
    close: () => ratchet?.close(),
  };
}

const PASSING_TROUBLES: readonly LedgerTrouble[] = ["flush_failed", "reload_failed"];
const KEY_TROUBLES: readonly KeyTrouble[] = [
  "key_missing",
  "key_unreadable",
  "key_foreign",
  "table_older_than_key",
];
