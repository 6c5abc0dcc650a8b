import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Ghost, Kind } from "../identity.ts";
import { type CheckedSetting, type Collecting, type Source, type Surface, textSource } from "../surface.ts";
import { filesBelow } from "./files.ts";
import { outputOf } from "./programs.ts";

export interface PostgresAccess {
  /**
   * Runs a statement outside a transaction. Where it is no superuser's, `checkpoint` and `pg_switch_wal()` may do
   * nothing, and give no row.
   */
  query(statement: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  /** Arguments that make PostgreSQL's programs connect, such as `["--host", …]`. */
  readonly connection: readonly string[];
  /** Where `pg_dump` and `pg_basebackup` lie; on the path where not given. */
  readonly binDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly dataDir: string;
  /** Where `archive_command` puts finished segments. */
  readonly archiveDir?: string;
  /** The data folder of a streaming replica. */
  readonly replicaDir?: string;
  /** What it logs, at its end. */
  readonly logPath?: string;
  /** What stands in tables by design. */
  readonly permits?: Readonly<Partial<Record<Kind, string>>>;
}

const CONTROL_TABLE = "ghost_control";
const FEED_WITHIN_MS = 60_000;
/** Longer than what a row may have before PostgreSQL compresses it (`TOAST_TUPLE_THRESHOLD`). */
const COMPRESSED_LINES = 400;

/** Everything that a PostgreSQL writes. Rows 12, 13 and 16 of the leak table. */
export function postgresSurfaces(access: PostgresAccess): Surface[] {
  const main = "postgres-data";
  const copy = (id: string, title: string, collect: Surface["collect"], rows = [12, 13]): Surface => ({
    id,
    title: `PostgreSQL: ${title}`,
    rows,
    ...(access.permits !== undefined && { permits: access.permits }),
    plant: main,
    collect,
  });
  const { archiveDir, replicaDir, logPath } = access;
  return [
    {
      ...copy(main, "tables, indexes and all other files", (collecting) =>
        filesBelow(access.dataDir, collecting, ["pg_wal"]),
      ),
      plant: (control) => plantRow(access, control),
      clear: async () => void (await access.query(`drop table if exists ${CONTROL_TABLE}`)),
      settings: () => settingsOf(access),
    },
    copy("postgres-wal", "write-ahead log", (collecting) =>
      filesBelow(join(access.dataDir, "pg_wal"), collecting),
    ),
    ...(archiveDir === undefined
      ? []
      : [copy("postgres-archive", "archive of the write-ahead log", (c) => archived(access, archiveDir, c))]),
    ...(replicaDir === undefined
      ? []
      : [copy("postgres-replica", "streaming replica", (c) => replicated(access, replicaDir, c))]),
    copy("postgres-base-backup", "base backup", (collecting) => baseBackup(access, collecting)),
    {
      ...copy("postgres-dump", "dump", () => dumps(access)),
      arriving: [{ kind: "ipv4", encoding: "text" }, { kind: "dns_name" }],
    },
    {
      ...copy("postgres-statistics", "statistics", () => statistics(access), [13, 16]),
      arriving: [{ kind: "ipv4", encoding: "text" }],
    },
    ...(logPath === undefined ? [] : [logSurface(access, logPath)]),
  ];
}

/** As `inet` and as text, and once in a long text, which is compressed; then brought to every copy. */
async function plantRow({ query }: PostgresAccess, control: Ghost) {
  await query(`drop table if exists ${CONTROL_TABLE}`);
  await query(`create table ${CONTROL_TABLE} (address inet, note text, long text)`);
  const lines = Array.from({ length: COMPRESSED_LINES }, (_, at) => `line ${at} says what others say`);
  const long = [...lines, control.dnsName, ...lines].join("\n");
  // Twice, since ANALYZE takes samples only of what is common.
  for (const _ of [1, 2]) {
    await query(`insert into ${CONTROL_TABLE} values ($1, $2, $3)`, [control.ipv4, control.ipv4, long]);
  }
  await query(`analyze ${CONTROL_TABLE}`);
  await query("checkpoint");
  await query("select pg_switch_wal()");
  return [
    { kind: "ipv4", encoding: "text" },
    { kind: "ipv4", encoding: "inet" },
    { kind: "dns_name", encoding: "text" },
  ] as const;
}

/** Waits until the archive has what was written until this moment: who may not close a segment waits for its end. */
async function* archived(
  access: PostgresAccess,
  dir: string,
  collecting: Collecting,
): AsyncGenerator<Source> {
  const [closed] = await access.query("select pg_walfile_name(pg_switch_wal()) as segment");
  const [open] = await access.query("select pg_walfile_name(pg_current_wal_lsn()) as segment");
  const segment = String((closed ?? open)?.segment);
  await until("the archive lacks the last segment", async () => {
    const [last] = await access.query("select last_archived_wal as segment from pg_stat_archiver");
    return String(last?.segment ?? "").slice(0, 24) >= segment;
  });
  yield* filesBelow(dir, collecting);
}

async function* replicated(
  access: PostgresAccess,
  dir: string,
  collecting: Collecting,
): AsyncGenerator<Source> {
  const [row] = await access.query("select pg_current_wal_lsn() as lsn");
  await until("the replica is behind", async () => {
    const [replica] = await access.query(
      "select bool_and(replay_lsn >= $1::pg_lsn) as is_current from pg_stat_replication where state = 'streaming' and application_name <> 'pg_basebackup'",
      [row?.lsn],
    );
    return replica?.is_current === true;
  });
  yield* filesBelow(dir, collecting);
}

async function until(otherwise: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + FEED_WITHIN_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(otherwise);
    await pause(100);
  }
}

async function* baseBackup(access: PostgresAccess, collecting: Collecting): AsyncGenerator<Source> {
  const dir = await mkdtemp(join(tmpdir(), "ghosts-backup-"));
  try {
    const args = [
      "--format=tar",
      "--gzip",
      "--checkpoint=fast",
      "--wal-method=fetch",
      "--pgdata",
      join(dir, "backup"),
    ];
    await program(access, "pg_basebackup", args);
    yield* filesBelow(dir, collecting);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function* dumps(access: PostgresAccess): AsyncGenerator<Source> {
  const list = await access.query(
    `select datname as name from pg_database where datallowconn and not datistemplate
      and (datname = current_database() or (select rolsuper from pg_roles where rolname = current_user))`,
  );
  for (const { name } of list) {
    for (const format of ["plain", "custom"]) {
      const dump = await program(access, "pg_dump", [`--format=${format}`, `--dbname=${name}`]);
      yield textSource(`${name}.${format}`, dump);
    }
  }
}

async function program(access: PostgresAccess, name: string, args: readonly string[]): Promise<Buffer> {
  const path = access.binDir === undefined ? name : join(access.binDir, name);
  const output = await outputOf({
    program: path,
    args: [...access.connection, "--no-password", ...args],
    ...(access.env !== undefined && { env: access.env }),
  });
  if (output === undefined) throw new Error(`there is no ${name}`);
  return output;
}

/** Samples of values that ANALYZE took, and the statements that were run, where they are gathered. */
async function* statistics({ query }: PostgresAccess): AsyncGenerator<Source> {
  const values = await query(
    "select s::text as line from pg_stats s where schemaname not in ('pg_catalog', 'information_schema')",
  );
  yield textSource("pg_stats", linesOf(values));
  const activity = await query(
    "select a::text as line from pg_stat_activity a where pid <> pg_backend_pid()",
  );
  yield textSource("pg_stat_activity", linesOf(activity));
  const [found] = await query("select to_regclass('pg_stat_statements') is not null as is_loaded");
  if (found?.is_loaded === true) {
    yield textSource(
      "pg_stat_statements",
      linesOf(await query("select query as line from pg_stat_statements")),
    );
  }
}

function linesOf(rows: readonly Record<string, unknown>[]): string {
  return rows.map(({ line }) => String(line)).join("\n");
}

/** The server's log. The control is a warning, which it writes unless it is told to keep those to itself. */
function logSurface(access: PostgresAccess, logPath: string): Surface {
  return {
    id: "postgres-log",
    title: "PostgreSQL: server log",
    rows: [16],
    async plant(control) {
      await access.query(`do $$ begin raise warning 'ghost control ${control.ipv4}'; end $$`);
      return [{ kind: "ipv4", encoding: "text" }];
    },
    async *collect(collecting) {
      const cut = logPath.lastIndexOf("/");
      const [dir, name] = [logPath.slice(0, cut), logPath.slice(cut + 1)];
      for await (const source of filesBelow(dir, collecting)) if (source.name.startsWith(name)) yield source;
    },
  };
}

/** What makes PostgreSQL write down who connects and what they ask. */
const WANTED: Readonly<Record<string, readonly string[]>> = {
  log_connections: ["off", ""],
  log_disconnections: ["off"],
  log_statement: ["none", "ddl"],
  log_duration: ["off"],
  log_min_duration_statement: ["-1"],
  log_min_duration_sample: ["-1"],
  log_replication_commands: ["off"],
  track_commit_timestamp: ["off"],
  auto_explain_is_loaded: ["off"],
};

async function settingsOf({ query }: PostgresAccess): Promise<CheckedSetting[]> {
  const rows = await query(
    `select name, setting from pg_settings where name = any($1)
     union all select 'auto_explain_is_loaded', case when setting like '%auto_explain%' then 'on' else 'off' end
     from pg_settings where name = 'shared_preload_libraries'`,
    [Object.keys(WANTED)],
  );
  return rows.map((row) => {
    const [name, value] = [String(row.name), String(row.setting)];
    return { name: `PostgreSQL: ${name}`, value, isRight: WANTED[name]?.includes(value) ?? false };
  });
}
