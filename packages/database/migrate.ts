import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { describeDatabaseError, isLockTimeout } from "./database-errors.ts";
import { storeErrors } from "./errors.ts";
import { MIGRATIONS_DIR, type Migration, readMigrations } from "./migration-files.ts";
import { applyGrants } from "./roles/apply.ts";

/** Our key for the lock under which one process at a time migrates. */
const MIGRATION_LOCK_KEY = 5_771_002;
const LOCK_POLL_MS = 50;
/** A migration that waits for a table holds up everybody behind it, so it waits briefly and often. */
const TABLE_LOCK_WAIT_MS = 100;
const TABLE_LOCK_ATTEMPTS = 40;
const TABLE_LOCK_PAUSE_MS = 50;
const TABLE_LOCK_PAUSE_MAX_MS = 2_000;
/** Outside a transaction nobody stands behind it. */
const BUILD_LOCK_WAIT_MS = 60_000;

/** `expand`: what the release before cannot live with waits, so that its replicas go on beside those of this one. */
export type MigrationsPolicy = (typeof MIGRATIONS_POLICIES)[number];
export const MIGRATIONS_POLICIES = ["all", "expand"] as const;

export interface MigrateOptions {
  /** The folder of `NNNN_name.sql` files. */
  readonly dir?: string;
  readonly policy?: MigrationsPolicy;
  /** How long a migration waits for a table that others use, before it tries again. */
  readonly tableLockWaitMs?: number;
}

export interface MigrateResult {
  /** The names of the files that this call applied. */
  readonly applied: readonly string[];
  /** The names of those that wait until no replica of the release before is left. */
  readonly waiting: readonly string[];
  /** The number of the last migration of the schema; 0 when there is none. */
  readonly number: number;
}

/**
 * Brings the schema up to the code's: applies the files that the database lacks, each in a transaction of its own, so
 * that a failure leaves the schema at the file before, and gives the service's roles their rights. It takes none while
 * another release may run beside this one. Replicas that start together wait for each other.
 *
 * @throws store.migration_edited, store.migration_gap, store.migration_failed, store.newer_schema
 */
export async function migrate(pool: pg.Pool, options: MigrateOptions = {}): Promise<MigrateResult> {
  const { dir = MIGRATIONS_DIR, policy = "all", tableLockWaitMs = TABLE_LOCK_WAIT_MS } = options;
  const migrations = await readMigrations(dir);
  const client = await pool.connect();
  client.on("error", () => {}); // shows in the query that runs
  try {
    await client.query("set statement_timeout = 0");
    await takeLock(client);
    const appliedCount = await countApplied(client, migrations);
    const missing = migrations.slice(appliedCount);
    const { now, waiting } = split(missing, policy);
    for (const migration of now) await applyPatiently(client, migration, tableLockWaitMs);
    const isOlder = appliedCount > migrations.length;
    await applyGrants(client, { takesAway: policy === "all" && !isOlder });
    const namesOf = (files: readonly Migration[]) => files.map(({ fileName }) => fileName);
    return { applied: namesOf(now), waiting: namesOf(waiting), number: appliedCount + now.length };
  } finally {
    client.release(true); // the connection ends, and with it the lock and whatever the files set
  }
}

export interface MigrationState {
  readonly number: number;
  readonly name: string;
  readonly phase: string;
  /** A day; undefined while it waits. */
  readonly appliedOn: string | undefined;
}

/** Which migrations the database has, and which of this release it lacks. */
export async function listMigrations(
  pool: Pick<pg.Pool, "query">,
  dir = MIGRATIONS_DIR,
): Promise<MigrationState[]> {
  const { rows } = await pool.query<{ number: number; name: string; phase: string; applied_on: string }>(
    "select number, name, phase, applied_on from schema_migrations order by number",
  );
  const files = await readMigrations(dir);
  return [
    ...rows.map(({ applied_on: appliedOn, ...row }) => ({ ...row, appliedOn })),
    ...files
      .slice(rows.length)
      .map(({ number, fileName, phase }) => ({ number, name: fileName, phase, appliedOn: undefined })),
  ];
}

/** Asked for again and again: who waits inside a statement would be waited for by `create index concurrently`. */
async function takeLock(client: pg.PoolClient): Promise<void> {
  for (;;) {
    const { rows } = await client.query("select pg_try_advisory_lock($1) as taken", [MIGRATION_LOCK_KEY]);
    if (rows[0]?.taken === true) return;
    await sleep(LOCK_POLL_MS);
  }
}

/** @throws store.migration_failed where a file must run before which another one waits */
function split(missing: readonly Migration[], policy: MigrationsPolicy) {
  const first = policy === "all" ? -1 : missing.findIndex(({ phase }) => phase === "contract");
  if (first < 0) return { now: missing, waiting: [] };
  const waiting = missing.slice(first);
  const behind = waiting.find(({ phase }) => phase !== "contract");
  if (behind === undefined) return { now: missing.slice(0, first), waiting };
  throw storeErrors.migrationFailed({
    detail: `${behind.fileName} cannot be applied before ${waiting[0]?.fileName}, which waits. Once no older release runs, start one replica with DATABASE_MIGRATIONS=all.`,
  });
}

/** Compares what was applied with the files. */
async function countApplied(client: pg.PoolClient, migrations: readonly Migration[]): Promise<number> {
  await client.query(`create table if not exists schema_migrations (
    number integer primary key,
    name text not null,
    sha256 text not null,
    applied_on date not null default current_date
  )`);
  // Whether an older release may run on what a file left behind; it has the file itself no more than its number.
  await client.query(
    "alter table schema_migrations add column if not exists phase text not null default 'early'",
  );
  const { rows } = await client.query(
    "select number, name, sha256, phase from schema_migrations order by number",
  );
  const newer = rows.slice(migrations.length);
  if (newer.some(({ phase }) => phase !== "expand")) {
    throw storeErrors.newerSchema({
      detail: `The database has ${rows.length} migrations, this SecureWave ${migrations.length}. Start the newer one.`,
    });
  }
  const known = rows.slice(0, migrations.length);
  for (const [index, row] of known.entries()) {
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
      return await (migration.isInTransaction
        ? apply(client, migration, lockWaitMs)
        : build(client, migration));
    } catch (error) {
      await client.query("rollback").catch(() => {});
      if (isLockTimeout(error) && attempt < TABLE_LOCK_ATTEMPTS) {
        const pauseMs = Math.min(TABLE_LOCK_PAUSE_MAX_MS, TABLE_LOCK_PAUSE_MS * 2 ** attempt);
        await sleep(pauseMs * Math.random());
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

async function apply(client: pg.PoolClient, migration: Migration, lockWaitMs: number): Promise<void> {
  await client.query("begin");
  await client.query("set local statement_timeout = 0"); // in each: the wait for its answer has no end until its commit
  await client.query(`set local lock_timeout = ${Math.trunc(lockWaitMs)}`);
  await client.query(migration.text);
  await note(client, migration);
  await client.query("commit");
}

/** Runs the one statement of a file that must not stand in a transaction; what a failed try left is cleared away first. */
async function build(client: pg.PoolClient, migration: Migration): Promise<void> {
  await client.query(`set lock_timeout = ${BUILD_LOCK_WAIT_MS}; set statement_timeout = 0`);
  const { rows } = await client.query<{ name: string }>(`
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    where not i.indisvalid and n.nspname = 'public'`);
  for (const { name } of rows) await client.query(`drop index concurrently ${name}`);
  await client.query(migration.text);
  await note(client, migration);
  await client.query("reset lock_timeout");
}

async function note(client: pg.PoolClient, { number, fileName, sha256, phase }: Migration): Promise<void> {
  await client.query("insert into schema_migrations (number, name, sha256, phase) values ($1, $2, $3, $4)", [
    number,
    fileName,
    sha256,
    phase,
  ]);
}
