/** How long a write waits while the schema changes, with our runner and with a plain ALTER in the same run. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { migrate as applyMigrations, type Database, openDatabase } from "@securewave/database";
import { temporaryDir } from "@securewave/testing";
import type { Bench } from "./figure.ts";

const ROWS = 1_000_000;
const QUICK_ROWS = 100_000;
const WRITERS = 4;
/** A report, or a dump, that reads the table while it is to be changed. */
const READER_MS = 3_000;
const BEFORE_MS = 200;

export const migrate: Bench = {
  name: "migrate",
  async measure({ isQuick, progress, report }) {
    const rows = isQuick ? QUICK_ROWS : ROWS;
    const dir = temporaryDir("bench-migrate");
    const database = await openDatabase({ dir: join(dir.path, "store"), poolMax: 10, statementTimeoutMs: 0 });
    try {
      progress(`  ${rows} rows, ${WRITERS} writers, and a transaction that reads for ${READER_MS / 1000} s`);
      await fill(database, rows);
      const naive = await stallDuring(database, rows, () => alterPlainly(database));
      const ours = await stallDuring(database, rows, () => alterByFiles(database));
      report({
        id: "migrate.longest_stall_ms",
        value: Math.round(ours.longestMs),
        unit: "ms",
        limit: Math.round(naive.longestMs),
        goal: null,
        note: `Longest wait of ${ours.writes} writes by ${WRITERS} writers while a table of ${rows} rows gets a column and an index beside a transaction of ${READER_MS / 1000} s; limit: plain ALTER TABLE and CREATE INDEX in one transaction, ${naive.writes} writes`,
      });
    } finally {
      await database.close();
      dir.remove();
    }
  },
};

async function fill({ pool }: Database, rows: number): Promise<void> {
  await pool.query("create table bench_rows (id int primary key, n int not null, text text not null)");
  await pool.query("insert into bench_rows select i, 0, md5(i::text) from generate_series(1, $1) as i", [
    rows,
  ]);
  await pool.query("vacuum analyze bench_rows");
}

async function alterPlainly({ pool }: Database): Promise<void> {
  await pool.query(
    "begin; alter table bench_rows add column plain int; create index bench_rows_plain on bench_rows (text); commit",
  );
}

async function alterByFiles({ pool }: Database): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "securewave-bench-migrations-"));
  try {
    await writeFile(
      join(dir, "0001_column.sql"),
      "-- phase: expand\nalter table bench_rows add column more int;",
    );
    await writeFile(
      join(dir, "0002_index.sql"),
      "-- phase: expand\n-- no transaction\ncreate index concurrently if not exists bench_rows_text on bench_rows (text);",
    );
    await applyMigrations(pool, { dir });
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** The longest wait of writers, who do not pause, while a schema changes and somebody reads on and on. */
async function stallDuring(
  { pool }: Database,
  rows: number,
  change: () => Promise<void>,
): Promise<{ longestMs: number; writes: number }> {
  let isOver = false;
  let longestMs = 0;
  let writes = 0;
  const write = async (writer: number) => {
    for (let n = writer; !isOver; n += WRITERS) {
      const startMs = performance.now();
      await pool.query("update bench_rows set n = n + 1 where id = $1", [1 + ((n * 7919) % rows)]);
      longestMs = Math.max(longestMs, performance.now() - startMs);
      writes++;
    }
  };
  const writing = Array.from({ length: WRITERS }, (_, writer) => write(writer));
  const reader = await pool.connect();
  await reader.query("begin isolation level repeatable read; select count(*) from bench_rows");
  const reading = pause(READER_MS).then(() => reader.query("commit"));
  await pause(BEFORE_MS);
  await change();
  await reading;
  isOver = true;
  await Promise.all(writing);
  reader.release();
  return { longestMs, writes };
}
