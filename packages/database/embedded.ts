import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { RefusalError } from "@securewave/foundation";
import type pg from "pg";
import { storeErrors } from "./errors.ts";
import {
  connectionTo,
  connectWhenReady,
  endFormerServer,
  inUse,
  killStraySessions,
  type PostgresProcess,
  programOptions,
  STORE_USER,
  serverPid,
  startPostgres,
  takeStoreLock,
} from "./postgres-process.ts";
import { POSTGRES_SETTINGS, THROWAWAY_SETTINGS } from "./postgres-settings.ts";
import { findPostgresTools, type Launch, type PostgresTools, planLaunch } from "./postgres-tools.ts";
import { createStore, damaged, dataDirOf, inspectStore, prepareSocketDir } from "./store-folder.ts";

/** A server that shuts down or crashes lets go of its folder and its shared memory a little later. */
const START_ATTEMPTS = 20;
const START_RETRY_MS = 250;
const RESTART_DELAY_MAX_MS = 30_000;

export interface EmbeddedOptions {
  /** The store's own folder; made where there is none. */
  readonly dir: string;
  readonly tools?: PostgresTools;
  /** Gets PostgreSQL's log lines, which hold no values of rows and no addresses. */
  readonly onLog?: (line: string) => void;
  /** For tests: forgets everything when the system crashes, and is faster. */
  readonly isThrowaway?: boolean;
}

export interface EmbeddedPostgres {
  /** How `pg` reaches it. */
  readonly connection: pg.ClientConfig;
  /** All processes of the server that runs at present. */
  processIds(): number[];
  /** Ends all sessions, writes everything to disk and waits for the server's end. */
  close(): Promise<void>;
}

interface Running {
  readonly server: PostgresProcess;
  readonly lock: pg.Client;
  /** Resolves when the server or the session with the lock is gone. */
  readonly ended: Promise<void>;
}

/**
 * Opens a store: a PostgreSQL server of our own that lives as long as this process and listens on
 * a socket that only the folder's owner can reach. The socket asks for no password: whoever can open it
 * can read the store's files as well.
 *
 * @throws store.unreadable, store.wrong_version, store.not_writable, store.in_use, store.cannot_start
 */
export async function openEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dir = resolve(options.dir);
  const onLog = options.onLog ?? (() => {});
  const tools = options.tools ?? (await findPostgresTools());
  const found = await inspectStore(dir, tools.major);
  const isUnowned = found.isNew && found.owner?.uid === 0;
  const launch = await planLaunch(tools, isUnowned ? undefined : found.owner);
  if (found.isNew) {
    await createStore(dir, launch.runAs, (dataDir) => initialize(dataDir, tools, launch, options));
  }
  const dataDir = await realpath(dataDirOf(dir));
  const socketDir = await prepareSocketDir(dataDir, launch.runAs);

  let isClosing = false;
  const start = async (): Promise<Running> => {
    await endFormerServer(dir, dataDir, socketDir);
    const settings = { ...POSTGRES_SETTINGS, ...(options.isThrowaway ? THROWAWAY_SETTINGS : {}) };
    const server = startPostgres({
      postgresPath: tools.postgresPath,
      launch,
      dataDir,
      socketDir,
      settings,
      onLog,
    });
    return holdStore(server, dir, socketDir).catch(async (error) => {
      await server.stop();
      throw error;
    });
  };
  const startPatiently = async (): Promise<Running> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await start();
      } catch (error) {
        if (attempt === START_ATTEMPTS || isClosing || !isPassing(error)) throw error;
        await killStraySessions(dataDir);
        await sleep(START_RETRY_MS);
      }
    }
  };

  let running = await startPatiently();
  const keepUp = async () => {
    for (let failures = 0; !isClosing; ) {
      await running.ended;
      if (isClosing) return;
      try {
        // After a crash of one session PostgreSQL ends all others and goes on: the lock must be taken again.
        running = running.server.hasExited()
          ? await startPatiently()
          : await holdStore(running.server, dir, socketDir);
        failures = 0;
        if (isClosing) await stop(running);
      } catch (error) {
        failures++;
        onLog(`PostgreSQL is down: ${error instanceof Error ? error.message : "unknown error"}`);
        await sleep(Math.min(RESTART_DELAY_MAX_MS, START_RETRY_MS * 2 ** failures), undefined, {
          ref: false,
        });
      }
    }
  };
  void keepUp();

  return {
    connection: connectionTo(socketDir),
    processIds: () => processesBelow(running.server.pid),
    async close() {
      isClosing = true;
      await stop(running);
    },
  };
}

async function stop({ server, lock }: Running): Promise<void> {
  await lock.end().catch(() => {});
  await server.stop();
}

/** Waits until a server is ready and takes its lock. */
async function holdStore(server: PostgresProcess, dir: string, socketDir: string): Promise<Running> {
  const lock = await connectWhenReady(dataDirOf(dir), socketDir, () => {
    if (server.hasExited()) throw whyEnded(server, dir);
  });
  try {
    // Two processes may start at once on one folder; the one whose server lost meets the other's.
    if ((await serverPid(lock)) !== server.pid) throw inUse(dir);
    await takeStoreLock(lock, dir);
  } catch (error) {
    await lock.end().catch(() => {});
    if (error instanceof RefusalError) throw error;
    // Another process that starts at this moment took the server for one left behind and stopped it.
    throw storeErrors.cannotStart({ detail: `PostgreSQL was stopped on ${dir}.`, internal: "still in use" });
  }
  const lockEnded = new Promise<void>((resolve) => lock.once("end", () => resolve()));
  return { server, lock, ended: Promise.race([server.exited, lockEnded]) };
}

/** Finds the reason in PostgreSQL's last words, which are English: `lc_messages=C`. */
function whyEnded(server: PostgresProcess, dir: string) {
  const reason = server.lastFatal() ?? "it gave no reason";
  if (/control file|checkpoint record|incompatible with server|not a valid data directory/.test(reason)) {
    return damaged(dir, reason);
  }
  return storeErrors.cannotStart({
    detail: `PostgreSQL cannot be started on ${dir}: ${reason}`,
    internal: reason,
  });
}

/** Tells a start that failed because the server before is not wholly gone yet. */
function isPassing(error: unknown): boolean {
  return error instanceof RefusalError && /already exists|still in use/.test(error.internal ?? "");
}

async function initialize(
  dataDir: string,
  tools: PostgresTools,
  launch: Launch,
  { isThrowaway, dir }: EmbeddedOptions,
): Promise<void> {
  const words = [
    ...launch.before,
    tools.initdbPath,
    ...["--pgdata", dataDir, "--username", STORE_USER, "--auth", "trust", "--no-instructions"],
    ...["--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"],
    "--data-checksums",
    ...(isThrowaway ? ["--no-sync"] : []),
  ];
  const [program = "", ...args] = words;
  await promisify(execFile)(program, args, programOptions(launch, dataDir)).catch((error) => {
    const lines = String(error.stderr ?? error.code).match(/(?:error|FATAL|PANIC|could not).*/gi);
    throw storeErrors.cannotStart({
      detail: `A new store cannot be made in ${dir}: ${lines?.[0] ?? "initdb gave no reason"}. If PostgreSQL cannot run here, set DATABASE_URL.`,
    });
  });
}

/** The server and its children; where the system has no `/proc`, the server alone. */
function processesBelow(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return [pid, ...text.split(" ").filter(Boolean).map(Number)];
  } catch {
    return [pid];
  }
}
