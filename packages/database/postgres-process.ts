import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { storeErrors } from "./errors.ts";
import type { Launch } from "./postgres-tools.ts";
import { isAlive } from "./store-folder.ts";

/** A store is a cluster of its own, so its one user and its one database need no other names. */
export const STORE_USER = "securewave";
export const STORE_DATABASE = "postgres";

const POLL_MS = 20;
/** After which a fast shutdown becomes an immediate one; the next start then replays the log. */
const SHUTDOWN_MAX_MS = 20_000;
/** How long a former server gets to finish its own shutdown. */
const FORMER_SERVER_MAX_MS = 30_000;
/** Our key for the lock that says a SecureWave has this store. */
const STORE_LOCK_KEY = 5_771_001;
/** A killed process's session lives on until PostgreSQL sees its socket close. */
const LOCK_WAIT_MS = 2_000;
/** `LOCK_FILE_LINE_PM_STATUS`, src/include/utils/pidfile.h. */
const STATUS_LINE = 8;
/** PostgreSQL's SQLSTATE `cannot_connect_now`: it starts up, recovers or shuts down. */
const CANNOT_CONNECT_NOW = "57P03";

export interface PostgresProcess {
  readonly pid: number;
  readonly exited: Promise<void>;
  hasExited(): boolean;
  /** The last line that PostgreSQL gave up with, such as `FATAL:  could not …`. */
  lastFatal(): string | undefined;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly postgresPath: string;
  readonly launch: Launch;
  readonly dataDir: string;
  readonly socketDir: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly onLog: (line: string) => void;
}

export function programOptions(launch: Launch, cwd: string) {
  return {
    cwd,
    // Nothing of the environment, such as PGDATA or PGOPTIONS, reaches PostgreSQL.
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
    ...(launch.runAs === undefined ? {} : { uid: launch.runAs.uid, gid: launch.runAs.gid }),
  };
}

/** Starts PostgreSQL on a data folder. It need not be ready when this returns. */
export function startPostgres(options: StartOptions): PostgresProcess {
  // The folder may say another port: that of the server which it was copied from.
  const settings = { ...options.settings, unix_socket_directories: options.socketDir, port: "5432" };
  const words = [
    ...options.launch.before,
    options.postgresPath,
    ...["-D", options.dataDir],
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
  const [program = "", ...args] = words;
  const child = spawn(program, args, {
    ...programOptions(options.launch, options.dataDir),
    // A session of its own: Ctrl-C in a terminal stops SecureWave, which then stops PostgreSQL last.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let lastFatal: string | undefined;
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (/^(FATAL|PANIC):/.test(line)) lastFatal = line;
    options.onLog(line);
  });

  const interrupt = () => void child.kill("SIGINT");
  process.once("exit", interrupt);
  let isGone = false;
  const exited = whenExited(child, options.onLog).then(() => {
    isGone = true;
    process.off("exit", interrupt);
  });
  return {
    pid: child.pid ?? 0,
    exited,
    hasExited: () => isGone,
    lastFatal: () => lastFatal,
    async stop() {
      if (isGone) return;
      child.kill("SIGINT");
      const timer = setTimeout(() => child.kill("SIGQUIT"), SHUTDOWN_MAX_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

function whenExited(child: ChildProcess, onLog: (line: string) => void): Promise<void> {
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      onLog(`PostgreSQL cannot be started: ${error.code}`);
      if (child.pid === undefined) resolve();
    });
    // `close` comes after the last line of stderr, `exit` may come before it.
    child.once("close", () => resolve());
  });
}

export function connectionTo(socketDir: string): pg.ClientConfig {
  return { host: socketDir, port: 5432, user: STORE_USER, database: STORE_DATABASE };
}

/**
 * Connects as soon as the server says in its `postmaster.pid` that it takes connections.
 *
 * @param goOn asked before each try; what it throws ends the waiting
 */
export async function connectWhenReady(
  dataDir: string,
  socketDir: string,
  goOn: () => void,
): Promise<pg.Client> {
  for (;;) {
    goOn();
    const lines = await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => "");
    if (lines.split("\n")[STATUS_LINE - 1]?.trim() === "ready") {
      const client = await tryConnect(socketDir);
      if (typeof client === "object") return client;
    }
    await sleep(POLL_MS);
  }
}

/**
 * Takes the lock that says this process has the store. PostgreSQL lets go of it when the connection ends,
 * so it outlives no process.
 *
 * @throws store.in_use when another process holds it
 */
export async function takeStoreLock(client: pg.Client, dir: string): Promise<void> {
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    const { rows } = await client.query("select pg_try_advisory_lock($1) as taken", [STORE_LOCK_KEY]);
    if (rows[0]?.taken === true) return;
    if (Date.now() > deadline) throw inUse(dir);
    await sleep(5 * POLL_MS);
  }
}

export function inUse(dir: string) {
  return storeErrors.inUse({
    detail: `Another SecureWave is running on the store ${dir}. Stop it, or give this one another folder.`,
  });
}

/** @returns the process id of the server at the other end */
export async function serverPid(client: pg.Client): Promise<number> {
  const { rows } = await client.query(
    "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int as pid",
  );
  return Number(rows[0]?.pid);
}

/**
 * Brings a server to an end that a killed SecureWave left behind on this data folder, so that the
 * next one is our child, with our settings.
 *
 * @throws store.in_use when a living SecureWave has it
 */
export async function endFormerServer(dir: string, dataDir: string, socketDir: string): Promise<void> {
  const deadline = Date.now() + FORMER_SERVER_MAX_MS;
  let isAsked = false;
  for (;;) {
    const pid = await readServerPid(dataDir);
    if (pid === undefined) return;
    const outcome = await tryConnect(socketDir);
    if (outcome === "refused" && !(await isServerOf(pid, dataDir))) {
      // PostgreSQL would take any living process with this number for a server, and not start.
      await rm(join(dataDir, "postmaster.pid"), { force: true });
      return;
    }
    if (typeof outcome === "object") {
      try {
        await takeStoreLock(outcome, dir);
        if (!isAsked && (await isServerOf(pid, dataDir))) process.kill(pid, "SIGINT");
        isAsked = true;
      } finally {
        await outcome.end().catch(() => {});
      }
    }
    if (Date.now() > deadline) throw inUse(dir);
    await sleep(POLL_MS);
  }
}

/**
 * Kills sessions whose server was killed: one that waits for something that another killed session
 * held waits for ever, and PostgreSQL does not start while it lives. Does nothing where there is no `/proc`.
 */
export async function killStraySessions(dataDir: string): Promise<void> {
  const names = await readdir("/proc").catch(() => []);
  const cwdOf = (pid: string) => readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  for (const pid of names.filter((name) => /^\d+$/.test(name))) {
    if ((await cwdOf(pid)) !== dataDir) continue;
    const [title, status] = await Promise.all(
      ["cmdline", "status"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
    );
    const parent = /^PPid:\s*(\d+)$/m.exec(status ?? "")?.[1];
    const isStray = title?.startsWith("postgres: ") && parent && (await cwdOf(parent)) !== dataDir;
    if (isStray && isAlive(Number(pid))) process.kill(Number(pid), "SIGKILL");
  }
}

async function readServerPid(dataDir: string): Promise<number | undefined> {
  const text = await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => undefined);
  const pid = Number.parseInt(text ?? "", 10);
  return Number.isInteger(pid) ? Math.abs(pid) : undefined;
}

/** Tells a server from a process that got its number later: PostgreSQL works in its data folder. */
async function isServerOf(pid: number, dataDir: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform !== "linux") return true;
  return (await readlink(`/proc/${pid}/cwd`).catch(() => undefined)) === dataDir;
}

async function tryConnect(socketDir: string): Promise<pg.Client | "busy" | "refused"> {
  const client = new pg.Client({ ...connectionTo(socketDir), application_name: "securewave store lock" });
  client.on("error", () => {}); // its `end` event says that it is gone
  try {
    await client.connect();
    return client;
  } catch (error) {
    return error instanceof pg.DatabaseError && error.code === CANNOT_CONNECT_NOW ? "busy" : "refused";
  }
}
