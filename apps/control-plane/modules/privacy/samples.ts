import type { Database, Tables } from "@securewave/database";
import { type Kysely, sql } from "kysely";

/** Whoever holds a table longer is waited for by the next call. */
const LOCK_WAIT_MS = 5_000;
/** The first PostgreSQL that can take samples away. */
const CLEARING_VERSION = 180_000;

/**
 * Has PostgreSQL take its samples of values anew (`pg_stats`, by which it plans), so that they hold nothing of rows that
 * are gone. It reads up to 30,000 rows of each table, and holds up nobody who reads or writes.
 *
 * ANALYZE leaves the samples of a table that is empty as they were: these are taken away, which PostgreSQL before 18
 * lets no owner do.
 */
export async function renewSamples({ db, transaction }: Pick<Database, "db" | "transaction">): Promise<void> {
  for (const table of await listSampled(db))
    await transaction(async (trx) => {
      await sql`select set_config('statement_timeout', '0', true),
        set_config('lock_timeout', ${String(LOCK_WAIT_MS)}, true)`.execute(trx);
      await sql`analyze ${sql.table(table)}`.execute(trx);
    });
  const { rows } = await sql<{ version: number }>`
    select current_setting('server_version_num')::int as version`.execute(db);
  if (Number(rows[0]?.version) < CLEARING_VERSION) return;
  for (const table of await listSampled(db)) {
    const { rows: found } = await sql`select from ${sql.table(table)} limit 1`.execute(db);
    if (found.length === 0) await clear(db, table);
  }
}

/** What was sampled: columns of ours, and expressions of indexes, by their tables. */
const SAMPLED = sql`
  pg_stats join pg_class relation on relation.oid = to_regclass(format('%I.%I', schemaname, tablename))
  left join pg_index on indexrelid = relation.oid
  join pg_class owner on owner.oid = coalesce(indrelid, relation.oid)
  where schemaname in ('public', 'jobs')`;

/** @returns tables as schema and name */
async function listSampled(db: Kysely<Tables>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select distinct schemaname || '.' || owner.relname as name from ${SAMPLED} order by 1`.execute(db);
  return rows.map(({ name }) => name);
}

async function clear(db: Kysely<Tables>, table: string): Promise<void> {
  await sql`
    select pg_clear_attribute_stats(schemaname, tablename, attname, inherited)
    from ${SAMPLED} and schemaname || '.' || owner.relname = ${table}`.execute(db);
}
