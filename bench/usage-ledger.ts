/** The daily rewriting of the sealed ledger beside one SQL statement that rewrites the same rows. */
import { join } from "node:path";
import { type Database, migrate, openDatabase } from "@securewave/database";
import { insertAccountRows } from "@securewave/database/testing-rows";
import { createManualClock, DAY_MS } from "@securewave/foundation";
import { temporaryDir } from "@securewave/testing";
import { createLedger, type Ledger } from "../apps/control-plane/modules/usage/ledger.ts";
import type { BenchRun } from "./figure.ts";
import { median } from "./statistics.ts";

const ACCOUNTS = 1_000_000;
const QUICK_ACCOUNTS = 100_000;
const ROUNDS = 3;
const QUICK_ROUNDS = 1;
/** Of so many accounts one used something since the last time. */
const ACTIVE_EACH = 10;
const MIB = 2 ** 20;
const RAW_REWRITE = "update usage_ledger set sealed = decode(repeat('2a', 64), 'hex')";

export async function measureLedger({ isQuick, progress, report }: BenchRun): Promise<void> {
  const count = isQuick ? QUICK_ACCOUNTS : ACCOUNTS;
  const dir = temporaryDir("bench-ledger");
  const database = await openDatabase({ dir: join(dir.path, "store"), poolMax: 4, statementTimeoutMs: 0 });
  try {
    await migrate(database.pool);
    progress(`  ${count} accounts`);
    await fill(database, count);
    const clock = createManualClock(Date.UTC(2026, 0, 1, 12));
    const ledger = await openLedger(database, clock, join(dir.path, "keys", "ledger.key"), count);
    await ledger.flushIfDue();
    const ratios: number[] = [];
    const rates: number[] = [];
    const rawRates: number[] = [];
    for (let round = 0; round < (isQuick ? QUICK_ROUNDS : ROUNDS); round++) {
      const rawSeconds = await timed(database, () => database.pool.query(RAW_REWRITE));
      clock.advanceSeconds(DAY_MS / 1000);
      const seconds = await timed(database, async () => {
        const outcome = await ledger.flushIfDue();
        if (outcome !== "flushed") throw new Error(`the ledger was not rewritten: ${outcome}`);
      });
      rates.push(count / seconds);
      rawRates.push(count / rawSeconds);
      ratios.push(rawSeconds / seconds);
      progress(
        `  ledger ${Math.round(count / seconds)} rows/s, raw SQL ${Math.round(count / rawSeconds)} rows/s`,
      );
    }
    ledger.close();
    report({
      id: "usage.flush_vs_sql",
      value: median(ratios),
      unit: "× raw SQL",
      limit: 1,
      goal: ">=0.5",
      note: `Sealed ledger of ${count} accounts rewritten, ${Math.round(median(rates))} rows/s; raw: one UPDATE of the same rows, ${Math.round(median(rawRates))} rows/s`,
    });
  } finally {
    await database.close();
    dir.remove();
  }
}

/**
 * Makes accounts with their rows. What costs most of it is left out and put back: unique indexes that grow row by row,
 * and the look for each row's plan and account.
 */
async function fill(database: Database, count: number): Promise<void> {
  await database.pool.query(`
    do $$ begin
      execute format('alter table accounts alter column plan_id set default %L', default_plan());
    end $$;
    alter table accounts drop constraint accounts_email_key, drop constraint accounts_number_key`);
  await insertAccountRows(database.db, count);
  await database.pool.query(`
    begin;
    set local session_replication_role = replica;
    alter table accounts
      alter column plan_id set default default_plan(),
      add constraint accounts_email_key unique (email_index),
      add constraint accounts_number_key unique (number);
    insert into usage_ledger (account_id) select id from accounts;
    commit`);
  await database.pool.query("vacuum (analyze) accounts");
}

async function openLedger(
  database: Database,
  clock: { now(): number },
  keyFile: string,
  count: number,
): Promise<Ledger> {
  const active = Array.from(
    { length: count / ACTIVE_EACH },
    (_, index) => `acc_${(index + 1) * ACTIVE_EACH}`,
  );
  const ledger = createLedger({
    database,
    clock,
    keyFile,
    flushAt: 0,
    usage: {
      unsettledOf: () => 0,
      forEachUnsettled() {},
      closeBatch: async () => ({
        forEachSettled: (each) => {
          for (const accountId of active) each(accountId, MIB);
        },
        marks: [],
        settled() {},
        abandon() {},
      }),
    },
    onTrouble: (trouble, cause) => {
      throw new Error(trouble, { cause });
    },
  });
  await ledger.open();
  await ledger.loaded();
  return ledger;
}

/** Seconds; both begin with a table without dead rows and a checkpoint behind them. */
async function timed(database: Database, work: () => Promise<unknown>): Promise<number> {
  await database.pool.query("vacuum usage_ledger");
  await database.pool.query("checkpoint");
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}
