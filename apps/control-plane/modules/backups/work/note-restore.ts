import type { Restored } from "@securewave/backup";
import { findPrograms } from "@securewave/backup/restoring/programs";
import { startRestored } from "@securewave/backup/restoring/recovery";
import type { Clock } from "@securewave/foundation";
import pg from "pg";
import type { Login } from "./database.ts";

/** PostgreSQL's name for a table that is not there. */
const UNDEFINED_TABLE = "42P01";

/**
 * Writes into a restored database that it was restored, for the service's next start: the audit trail then tells of
 * it. What it knew of backups goes, so that a new one is made at once.
 */
export async function noteRestore(
  { dataDir, postgresMajor, to, baseId }: Restored,
  login: Login,
  clock: Clock,
): Promise<void> {
  const server = await startRestored(dataDir, await findPrograms(postgresMajor));
  const client = new pg.Client({ host: server.socketDir, port: 5432, ...login });
  client.on("error", () => {}); // shows in the query that runs
  try {
    await client.connect();
    await client.query("delete from backups");
    const now = new Date(clock.now());
    await client.query(
      `insert into backup_runs (number, act, begun_at, ended_at, succeeded, failed, backup_ids, restored_to)
       select coalesce(max(number), 0) + 1, 'restore', $1, $1, 0, 0, array[$2::text], $3 from backup_runs`,
      [now, baseId, to],
    );
  } catch (error) {
    // A backup of a version that knew of no backups has nowhere to note it.
    if (!(error instanceof pg.DatabaseError && error.code === UNDEFINED_TABLE)) throw error;
  } finally {
    await client.end().catch(() => {});
    await server.close();
  }
}
