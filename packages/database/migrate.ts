import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { describeDatabaseError, isLockTimeout } from "./database-errors.ts";
import { storeErrors } from "./errors.ts";

const MIGRATIONS_DIR = join(import.meta.dirname, "migrations");
const FILE_NAME = /^(\d{4})_([a-z0-9-]+)\.sql$/;
/** Our key for the lock under which one process at a time migrates. */
const MIGRATION_LOCK_KEY = 5_771_002;
/** A migration that waits for a table holds up everybody behind it, so it waits briefly and often. */
const TABLE_LOCK_WAIT_MS = 2_000;
const TABLE_LOCK_ATTEMPTS = 15;
const TABLE_LOCK_PAUSE_MS = 500;

export interface MigrateOptions {
  /** The folder of `NNNN_name.sql` files. */
  readonly dir?: string;
  /** How long a migration waits for a table that others use, before it tries again. */
  readonly tableLockWaitMs?: number;
}

export interface MigrateResult {
  /** The names of the files that this call applied. */
  readonly applied: readonly string[];
  /** The number of the last migration of the schema; 0 when there is none. */
  readonly number: number;
}

interface Migration {
  readonly number: number;
  readonly fileName: string;
  readonly text: string;
  readonly sha256: string;
}

/**
 * Brings the schema up to the code's: applies the files that the database lacks, each in a transaction
 * of its own, so that a failure leaves the schema at the file before. Replicas that start together wait for each other.
 *
 * @throws store.migration_edited, store.migration_gap, store.migration_failed, store.newer_schema
 */
export async function migrate(pool: pg.Pool, options: MigrateOptions = {}): Promise<MigrateResult> {
  const migrations = await readMigrations(options.dir ?? MIGRATIONS_DIR);
  const client = await pool.connect();
  client.on("error", () => {}); // shows in the query that runs
  try {
    await client.query("set statement_timeout = 0");
    await client.query("select pg_advisory_lock($1)", [MIGRATION_LOCK_KEY]);
    const appliedCount = await countApplied(client, migrations);
    const missing = migrations.slice(appliedCount);
    for (const migration of missing) {
      await applyPatiently(client, migration, options.tableLockWaitMs ?? TABLE_LOCK_WAIT_MS);
    }
    return { applied: missing.map(({ fileName }) => fileName), number: migrations.length };
  } finally {
    client.release(true); // the connection ends, and with it the lock and whatever the files set
  }
}

async function readMigrations(dir: string): Promise<Migration[]> {
  const fileNames = (await readdir(dir)).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(
    fileNames.map(async (fileName, index) => {
      const number = Number(FILE_NAME.exec(fileName)?.[1]);
      if (number !== index + 1) {
        throw storeErrors.migrationGap({ detail: `${fileName} should be migration ${index + 1}.` });
      }
      const text = await readFile(join(dir, fileName), "utf8");
      return { number, fileName, text, sha256: createHash("sha256").update(text).digest("hex") };
    }),
  );
}

/** Compares what was applied with the files. */
async function countApplied(client: pg.PoolClient, migrations: readonly Migration[]): Promise<number> {
  await client.query(`create table if not exists schema_migrations (
    number integer primary key,
    name text not null,
    sha256 text not null,
    applied_on date not null default current_date
  )`);
  const { rows } = await client.query("select number, name, sha256 from schema_migrations order by number");
  if (rows.length > migrations.length) {
    throw storeErrors.newerSchema({
      detail: `The database has ${rows.length} migrations, this SecureWave ${migrations.length}. Start the newer one.`,
    });
  }
  for (const [index, row] of rows.entries()) {
    const migration = migrations[index];
    if (migration === undefined || row.number !== migration.number) {
      throw storeErrors.migrationGap({
        detail: `Migration ${index + 1} was never applied, ${row.name} was.`,
      });
    }
    if (row.sha256 !== migration.sha256 || row.name !== migration.fileName) {
      throw storeErrors.migrationEdited({
        detail: `${migration.fileName} is not what was applied as ${row.name}. Take the change back, and write a new migration.`,
      });
    }
  }
  return rows.length;
}

async function applyPatiently(
  client: pg.PoolClient,
  migration: Migration,
  lockWaitMs: number,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await apply(client, migration, lockWaitMs);
    } catch (error) {
      await client.query("rollback").catch(() => {});
      if (isLockTimeout(error) && attempt < TABLE_LOCK_ATTEMPTS) {
        await sleep(TABLE_LOCK_PAUSE_MS * Math.random());
        continue;
      }
      const reason = `${describeDatabaseError(error)}${lineOf(error, migration.text)}`;
      throw storeErrors.migrationFailed({
        detail: `${migration.fileName} could not be applied: ${reason}`,
        internal: reason,
      });
    }
  }
}

function lineOf(error: unknown, text: string): string {
  const position = error instanceof pg.DatabaseError ? Number(error.position) : Number.NaN;
  return position > 0 ? ` (line ${text.slice(0, position).split("\n").length})` : "";
}

async function apply(
  client: pg.PoolClient,
  { number, fileName, text, sha256 }: Migration,
  lockWaitMs: number,
): Promise<void> {
  await client.query("begin");
  await client.query(`set local lock_timeout = ${Math.trunc(lockWaitMs)}`);
  await client.query(text);
  await client.query("insert into schema_migrations (number, name, sha256) values ($1, $2, $3)", [
    number,
    fileName,
    sha256,
  ]);
  await client.query("commit");
}
