import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { relative, resolve } from "node:path";
import type { Database } from "@securewave/database";
import {
  type CheckedSetting,
  logSurface,
  type PostgresAccess,
  postgresSurfaces,
  type Surface,
} from "@securewave/ghosts";
import type { AuditorOrder } from "@securewave/ghosts/auditor-protocol";
import { checkLogging, checkSchema } from "./checks.ts";
import type { Folder } from "./folders.ts";
import { PERMITS } from "./permits.ts";
import { run } from "./run-program.ts";

/** A base backup is as large as the database, and what it holds of the write-ahead log comes on top. */
const SPARE_BYTES = 2 ** 30;
/** Answer of PostgreSQL to those who are no superuser: insufficient_privilege. */
const NOT_ALLOWED = "42501";
const HOUSEKEEPING = /^checkpoint$|pg_switch_wal\(\)/;

export interface DatabaseSurfaces {
  readonly surfaces: readonly Surface[];
  /** The folders that are searched as what they are. */
  readonly taken: ReadonlySet<Folder>;
}

/** The service's PostgreSQL: its files, copies that can be made of it, and those that its operator keeps. */
export async function databaseSurfaces(
  { database: settings }: AuditorOrder,
  { pool }: Database,
  folders: readonly Folder[],
  leaveOut: (what: string) => void,
): Promise<DatabaseSurfaces> {
  const { url, dataDir, hasTools } = settings;
  const checked = [...(await checkSchema(pool)), ...(await checkLogging(pool))];
  const [facts] = (
    await pool.query(
      `select current_setting('server_version_num')::int / 10000 as major, rolreplication or rolsuper as copies,
        current_setting('archive_mode') as archiving,
        (select sum(pg_database_size(oid)) from pg_database where has_database_privilege(oid, 'connect'))::text as bytes
        from pg_roles where rolname = session_user`,
    )
  ).rows;
  const isLeftOut = new Set<string>();
  if (dataDir === undefined) {
    for (const id of ["postgres-data", "postgres-wal"]) isLeftOut.add(id);
    leaveOut(
      "The files of PostgreSQL, which are on another machine (ZERO_LOG_DATABASE_DIR names them where they are not).",
    );
  }
  const tools = hasTools ? await versionOf("pg_dump") : undefined;
  if (tools === undefined || tools < Number(facts?.major)) {
    for (const id of ["postgres-dump", "postgres-base-backup"]) isLeftOut.add(id);
    leaveOut(
      "Dumps and base backups of PostgreSQL: its programs for that are not on this machine. What they copy is searched where it lies, but for what is said above.",
    );
  } else if (facts?.copies !== true || (await freeBytes()) < 2 * Number(facts.bytes) + SPARE_BYTES) {
    isLeftOut.add("postgres-base-backup");
    leaveOut("A base backup of PostgreSQL: the service may not make one, or there is no room for it.");
  }
  const archive = folders.find(({ form }) => form === "archive");
  const replica = folders.find(({ form }) => form === "replica");
  if (archive === undefined && ["on", "always"].includes(facts?.archiving))
    leaveOut(
      "The archive of PostgreSQL's write-ahead log: no folder of ZERO_LOG_FOLDERS has segments of it.",
    );
  if (folders.length > 0)
    leaveOut(
      "Backups that were made before this search: they cannot hold its ghosts, so new ones are made and searched.",
    );
  const access: PostgresAccess = {
    query: async (statement, values) => {
      try {
        return (await pool.query(statement, values ? [...values] : [])).rows;
      } catch (error) {
        if (HOUSEKEEPING.test(statement) && isNotAllowed(error)) return [];
        throw error;
      }
    },
    ...connectionOf(url),
    dataDir: dataDir ?? "",
    ...(archive !== undefined && { archiveDir: archive.dir }),
    ...(replica !== undefined && { replicaDir: replica.dir }),
    permits: PERMITS,
  };
  return {
    surfaces: [
      ...carried(postgresSurfaces(access), isLeftOut, checked),
      ...(hasTools ? await serverLog(pool, dataDir, leaveOut) : []),
    ],
    taken: new Set([archive, replica].filter((folder) => folder !== undefined)),
  };
}

/** Leaves surfaces out; the first that is left then has the control and the settings of them all. */
function carried(
  all: readonly Surface[],
  isLeftOut: ReadonlySet<string>,
  checked: readonly CheckedSetting[],
): Surface[] {
  const [main] = all;
  const left = all.filter(({ id }) => !isLeftOut.has(id));
  return left.map((surface, index) => {
    if (main === undefined || (index > 0 && typeof surface.plant === "function")) return surface;
    if (index > 0) return { ...surface, plant: left[0]?.id ?? "" };
    return {
      ...surface,
      plant: main.plant,
      clear: async () => await main.clear?.(),
      settings: async () => [...checked, ...((await main.settings?.()) ?? [])],
    };
  });
}

/** What an outside server logs, where this machine has the file; one below its data folder is searched with that. */
async function serverLog(
  pool: Database["pool"],
  dataDir: string | undefined,
  leaveOut: (what: string) => void,
): Promise<Surface[]> {
  const { rows } = await pool
    .query<{ path: string | null }>("select pg_current_logfile() as path")
    .catch((error: unknown) => {
      if (isNotAllowed(error)) return { rows: [] };
      throw error;
    });
  const said = rows[0]?.path ?? undefined;
  const path = dataDir === undefined || said === undefined ? undefined : resolve(dataDir, said);
  if (dataDir === undefined || path === undefined || !existsSync(path)) {
    leaveOut(
      "PostgreSQL's own log, unless its folder is in ZERO_LOG_FOLDERS: where it goes is not to be seen from here.",
    );
    return [];
  }
  if (!relative(dataDir, path).startsWith("..")) return [];
  return [logSurface({ id: "postgres-log", title: "PostgreSQL: server log", rows: [16], path })];
}

function isNotAllowed(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === NOT_ALLOWED;
}

/** What libpq knows by the same names. */
const TLS_VARIABLES: Readonly<Record<string, string>> = {
  sslmode: "PGSSLMODE",
  sslrootcert: "PGSSLROOTCERT",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY",
};

export function connectionOf(url: string): Pick<PostgresAccess, "connection" | "env"> {
  const { hostname, port, username, password, searchParams } = new URL(url);
  const host = hostname || searchParams.get("host") || "localhost";
  const tls = Object.entries(TLS_VARIABLES).flatMap(([name, variable]) => {
    const value = searchParams.get(name);
    return value === null ? [] : [[variable, value] as const];
  });
  return {
    connection: [
      `--host=${decodeURIComponent(host).replace(/^\[(.*)\]$/, "$1")}`,
      `--port=${port || 5432}`,
      `--username=${decodeURIComponent(username || (searchParams.get("user") ?? ""))}`,
    ],
    env: { PGPASSWORD: decodeURIComponent(password), ...Object.fromEntries(tls) },
  };
}

async function versionOf(program: string): Promise<number | undefined> {
  const { code, stdout } = await run(program, ["--version"]);
  const version = /(\d+)(?:\.\d+)?/.exec(stdout)?.[1];
  return code === 0 && version !== undefined ? Number(version) : undefined;
}

async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs(tmpdir());
  return bavail * bsize;
}
