import type pg from "pg";

/** Our key for the lock under which one process at a time searches. */
const LOCK_KEY = 7_215_930_418;

/**
 * Takes the right to search, on a connection of its own, with which it ends.
 *
 * @returns what gives it back; undefined where another process searches
 */
export async function takeRunLock(
  pool: Pick<pg.Pool, "connect">,
): Promise<(() => Promise<void>) | undefined> {
  const client = await pool.connect();
  let isLost = false;
  client.on("error", () => {
    isLost = true;
  });
  try {
    const { rows } = await client.query("select pg_try_advisory_lock($1) as is_taken", [LOCK_KEY]);
    if (rows[0]?.is_taken !== true) {
      client.release();
      return undefined;
    }
  } catch (error) {
    client.release(true);
    throw error;
  }
  return async () => {
    if (!isLost) await client.query("select pg_advisory_unlock($1)", [LOCK_KEY]).catch(() => {});
    client.release(true);
  };
}
