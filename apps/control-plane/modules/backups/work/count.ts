import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";

export interface Counted {
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** The moment of which they are true: restored to it, the tables have exactly these rows. */
  readonly atMs: number;
}

/** So long writers wait at most while the moment is taken; then it is tried again. */
const LOCK_TIMEOUT_MS = 300;
const ATTEMPTS = 20;
const BETWEEN_ATTEMPTS_MS = 250;
/** lock_not_available, deadlock_detected */
const PASSING = new Set(["55P03", "40P01"]);

/**
 * Counts the rows of all tables at one moment. Writers are held up for a few milliseconds, in which the snapshot is
 * taken that is counted afterwards, so that the counts are exact also on a service in full use.
 *
 * @param look runs on the same snapshot
 * @returns undefined where no moment could be had
 */
export async function countAtOneMoment(
  connection: pg.ClientConfig,
  look: (client: pg.Client) => Promise<void> = async () => {},
): Promise<Counted | undefined> {
  const locking = new pg.Client({ ...connection, application_name: "securewave backup" });
  const reading = new pg.Client({ ...connection, application_name: "securewave backup" });
  for (const client of [locking, reading]) client.on("error", () => {}); // shows in the query that runs
  await Promise.all([locking.connect(), reading.connect()]);
  try {
    const tables = await tablesOf(reading);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const atMs = await takeMoment(locking, reading, tables);
      if (atMs === undefined) {
        await pause(BETWEEN_ATTEMPTS_MS);
        continue;
      }
      const rows = await countRows(reading, tables);
      await look(reading);
      await reading.query("commit");
      return { rows, atMs };
    }
    return undefined;
  } finally {
    await Promise.all([locking.end(), reading.end()].map((end) => end.catch(() => {})));
  }
}

/** Of the service itself; what the queue of jobs has comes and goes. */
export async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public' order by tablename",
  );
  return rows.map(({ name }) => name);
}

export async function countRows(
  client: pg.Client,
  tables: readonly string[],
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const { rows } = await client.query(
      `select count(*)::float8 as count from public.${pg.escapeIdentifier(table)}`,
    );
    counts[table] = Number(rows[0]?.count);
  }
  return counts;
}

/** @returns a whole millisecond between the last commit before and the first after the snapshot */
async function takeMoment(
  locking: pg.Client,
  reading: pg.Client,
  tables: readonly string[],
): Promise<number | undefined> {
  const all = tables.map((table) => `public.${pg.escapeIdentifier(table)}`).join(", ");
  await locking.query("begin");
  try {
    await locking.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await locking.query(`lock table ${all} in share mode`);
    await reading.query("begin isolation level repeatable read read only");
    const { rows } = await reading.query(
      "select ceil(extract(epoch from clock_timestamp()) * 1000)::float8 + 1 as at",
    );
    const atMs = Number(rows[0]?.at);
    await locking.query("select pg_sleep(greatest(0, $1::float8 - extract(epoch from clock_timestamp())))", [
      (atMs + 1) / 1000,
    ]);
    await locking.query("commit");
    // A record behind the moment, by which a restore knows that it has come to it; not everybody may write one.
    await locking.query("select pg_create_restore_point('securewave_counted')").catch(() => {});
    return atMs;
  } catch (error) {
    await locking.query("rollback");
    await reading.query("rollback");
    if (error instanceof pg.DatabaseError && PASSING.has(error.code ?? "")) return undefined;
    throw error;
  }
}
