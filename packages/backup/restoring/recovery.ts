import { chown, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type PostgresProcess, startPostgres } from "@securewave/database/postgres-process";
import { type Launch, type PostgresTools, planLaunch } from "@securewave/database/postgres-tools";
import { parseHistory } from "../archiving/pieces.ts";
import { backupErrors } from "../errors.ts";

const POLL_MS = 20;
/** The line of `postmaster.pid` that says how far PostgreSQL is. */
const STATUS_LINE = 8;
const NOT_REACHED = /recovery ended before configured recovery target was reached/;

/** What every server of ours runs with that works on a restored folder: nobody reaches it but us. */
const SETTINGS = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  log_destination: "stderr",
  logging_collector: "off",
  log_line_prefix: "",
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
  log_statement: "none",
  log_connections: "off",
  lc_messages: "C",
  ssl: "off",
  archive_mode: "off",
  shared_preload_libraries: "",
  synchronous_standby_names: "",
  primary_conninfo: "",
  primary_slot_name: "",
  shared_buffers: "64MB",
  max_prepared_transactions: "64",
  jit: "off",
};

export interface RunningServer {
  readonly socketDir: string;
  close(): Promise<void>;
}

/**
 * Starts PostgreSQL on a restored folder, with settings of ours.
 *
 * @throws backup.recovery_failed
 */
export async function startRestored(
  dataDir: string,
  tools: PostgresTools,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  const {
    server,
    scratch,
    launch: _,
    lines,
  } = await start(dataDir, tools, { hot_standby: "on", ...settings });
  const close = async () => {
    await server.stop();
    await rm(scratch, { recursive: true, force: true });
  };
  if (!(await becomesReady(server, dataDir))) {
    await close();
    throw failed(server, lines);
  }
  return { socketDir: scratch, close };
}

/**
 * Lets PostgreSQL replay its log up to an instant, or all of it, and end it as a timeline of its own.
 *
 * @returns where the log ended; `not_reached` when it has nothing behind the instant
 * @throws backup.recovery_failed, backup.interrupted
 */
export async function recover(options: {
  readonly dataDir: string;
  readonly tools: PostgresTools;
  readonly timeline: number;
  readonly targetTime: Date | undefined;
  readonly signal: AbortSignal | undefined;
  readonly isThrowaway: boolean;
}): Promise<bigint | "not_reached"> {
  const { dataDir, tools, timeline, targetTime, signal, isThrowaway } = options;
  await writeFile(join(dataDir, "recovery.signal"), "", { mode: 0o600 });
  const time = targetTime?.toISOString().replace("T", " ").replace("Z", "+00");
  const { server, scratch, lines } = await start(dataDir, tools, {
    hot_standby: "off",
    fsync: isThrowaway ? "off" : "on",
    // All that it needs is in the folder, whole; `false` says that there is no more.
    restore_command: "false",
    recovery_target_timeline: String(timeline),
    recovery_target_action: "promote",
    recovery_target: "",
    recovery_target_name: "",
    recovery_target_xid: "",
    recovery_target_lsn: "",
    recovery_target_time: time ?? "",
    max_wal_size: "4GB",
    checkpoint_timeout: "1h",
  });
  const stop = () => void server.stop();
  signal?.addEventListener("abort", stop);
  try {
    const isReady = await becomesReady(server, dataDir);
    if (signal?.aborted) throw backupErrors.interrupted();
    if (!isReady && targetTime !== undefined && lines.some((line) => NOT_REACHED.test(line)))
      return "not_reached";
    if (!isReady) throw failed(server, lines);
  } finally {
    signal?.removeEventListener("abort", stop);
    await server.stop();
    await rm(scratch, { recursive: true, force: true });
  }
  return endOfLog(dataDir);
}

async function start(dataDir: string, tools: PostgresTools, settings: Readonly<Record<string, string>>) {
  // Whose file it is decides as whom PostgreSQL runs; a folder that we unpacked is ours.
  const launch = await planLaunch(tools, undefined);
  const scratch = await mkdtemp(join(tmpdir(), "sw-restore-")); // a socket's path is short
  const files = { config_file: "postgresql.conf", hba_file: "pg_hba.conf", ident_file: "pg_ident.conf" };
  const paths = Object.entries(files).map(([name, file]) => [name, join(scratch, file)] as const);
  for (const [name, path] of paths)
    await writeFile(path, name === "hba_file" ? "local all all trust\n" : "", { mode: 0o600 });
  if (launch.runAs) await give([scratch, dataDir], launch.runAs);
  const lines: string[] = [];
  const server = startPostgres({
    postgresPath: tools.postgresPath,
    launch,
    dataDir,
    socketDir: scratch,
    settings: { ...SETTINGS, ...Object.fromEntries(paths), ...settings },
    onLog: (line) => void lines.push(line),
  });
  return { server, scratch, launch, lines };
}

async function becomesReady(server: PostgresProcess, dataDir: string): Promise<boolean> {
  while (!server.hasExited()) {
    const lines = (await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
    // A base may hold the file of the server that it was taken from.
    if (lines[STATUS_LINE - 1]?.trim() === "ready") return true;
    await sleep(POLL_MS);
  }
  return false;
}

/** Where the newest timeline left its parent, as PostgreSQL itself wrote it down. */
async function endOfLog(dataDir: string): Promise<bigint> {
  const logDir = join(dataDir, "pg_wal");
  const histories = (await readdir(logDir)).filter((name) => /^[0-9A-F]{8}\.history$/.test(name)).sort();
  const text = await readFile(join(logDir, histories.at(-1) ?? "none"), "utf8");
  const start = parseHistory(text);
  if (start === undefined) throw backupErrors.recoveryFailed({ internal: "no history of the new timeline" });
  return start.at;
}

async function give(paths: readonly string[], owner: NonNullable<Launch["runAs"]>): Promise<void> {
  for (const path of paths) {
    await chown(path, owner.uid, owner.gid);
    for (const name of await readdir(path, { recursive: true }))
      await chown(join(path, name), owner.uid, owner.gid);
  }
}

function failed(server: PostgresProcess, lines: readonly string[]) {
  const reason = server.lastFatal() ?? lines.at(-1) ?? "it gave no reason";
  return backupErrors.recoveryFailed({
    detail: `PostgreSQL did not recover from the backup: ${reason}`,
    internal: reason,
  });
}
