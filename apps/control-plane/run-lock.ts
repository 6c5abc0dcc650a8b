import type pg from "pg";

/**
 * Takes the right to do what one process at a time may do, on a connection of its own, with which it ends.
 *
 * @param key our key for the lock
 * @returns what gives it back; undefined where another process has it
 */
export async function takeRunLock(
  pool: Pick<pg.Pool, "connect">,
  key: number,
): Promise<(() => Promise<void>) | undefined> {
  const client = await pool.connect();
  let isLost = false;
  client.on("error", () => {
    isLost = true;
  });
  try {
    const { rows } = await client.query("select pg_try_advisory_lock($1) as is_taken", [key]);
    if (rows[0]?.is_taken !== true) {
      client.release();
      return undefined;
    }
  } catch (error) {
    client.release(true);
    throw error;
  }
  return async () => {
    if (!isLost) await client.query("select pg_advisory_unlock($1)", [key]).catch(() => {});
    client.release(true);
  };
}
