import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { findPostgresTools, type PostgresTools } from "@securewave/database/postgres-tools";
import { backupErrors } from "../errors.ts";

/** Where distributions put each version's programs. */
const SYSTEM_DIRS = (major: string) => [`/usr/lib/postgresql/${major}/bin`, `/usr/pgsql-${major}/bin`];

/**
 * Finds PostgreSQL's programs of a version: those that came with SecureWave, or the system's.
 *
 * @throws backup.postgres_missing
 */
export async function findPrograms(major: string): Promise<PostgresTools> {
  const embedded = await findPostgresTools().catch(() => undefined);
  if (embedded?.major === major) return embedded;
  const onPath = (process.env.PATH ?? "").split(delimiter).filter((dir) => dir !== "");
  for (const dir of [...SYSTEM_DIRS(major), ...onPath]) {
    const tools = { major, initdbPath: join(dir, "initdb"), postgresPath: join(dir, "postgres") };
    if ((await versionOf(tools.postgresPath)) === major) return tools;
  }
  throw backupErrors.postgresMissing({
    detail: `The database is of PostgreSQL ${major}, whose programs are not on this machine. Install them (Debian: apt-get install postgresql-${major}).`,
  });
}

async function versionOf(path: string): Promise<string | undefined> {
  if (
    !(await access(path, constants.X_OK).then(
      () => true,
      () => false,
    ))
  )
    return undefined;
  const { stdout } = await promisify(execFile)(path, ["--version"]).catch(() => ({ stdout: "" }));
  return /PostgreSQL\) (\d+)/.exec(stdout)?.[1];
}
