import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { chown, cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { invariant } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import pg from "pg";
import {
  connectWhenReady,
  type PostgresProcess,
  programOptions,
  STORE_DATABASE,
  STORE_USER,
  startPostgres,
} from "./postgres-process.ts";
import { type Launch, type PostgresTools, planLaunch } from "./postgres-tools.ts";

/** Where Debian puts each version's programs: `<major>/bin`. */
const DEBIAN_DIR = "/usr/lib/postgresql";
const LOG_POLL_MS = 5;

/** A PostgreSQL of the system with a data folder of its own, for tests that look into its files. */
export interface TestServer {
  /** As its superuser, on the socket. */
  readonly url: string;
  readonly dataDir: string;
  /** All that it logged up to this moment; it logs through a pipe, so that its lines come after its answers. */
  logLines(): Promise<readonly string[]>;
  /** @returns the URL of another role, made here without rights of its own */
  createRole(name: string): Promise<string>;
  run(...statements: string[]): Promise<pg.QueryResult["rows"]>;
  /** Runs one of its programs, such as `pg_waldump`. @returns its output */
  tool(name: string, ...args: string[]): Promise<string>;
  /** Shuts down; what it wrote stays until `close`. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export interface TestServerOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** The data folder of a stopped one, to begin with a copy of. */
  readonly copyOf?: Pick<TestServer, "dataDir">;
}

/** @returns what is missing, for `requirements`; undefined when there is a PostgreSQL of the system */
export function missingServer(): string | undefined {
  return findDebianTools() === undefined ? `PostgreSQL in ${DEBIAN_DIR}` : undefined;
}

/** Starts the newest PostgreSQL that Debian installed, with its defaults but for what is given. */
export async function openTestServer({ settings = {}, copyOf }: TestServerOptions = {}): Promise<TestServer> {
  const tools = findDebianTools();
  invariant(tools, "Debian's PostgreSQL is installed");
  const launch = await planLaunch(tools, undefined);
  // A socket's path is short, so its folder is too.
  const dir = await mkdtemp(join(tmpdir(), "sw-pg-"));
  const dataDir = join(dir, "data");
  const socketDir = join(dir, "s");
  await mkdir(socketDir);
  await mkdir(dataDir, { mode: 0o700 });
  if (launch.runAs)
    for (const each of [dir, socketDir, dataDir]) await chown(each, launch.runAs.uid, launch.runAs.gid);
  if (copyOf === undefined) await initialize(tools, launch, dataDir);
  else await cp(copyOf.dataDir, dataDir, { recursive: true, preserveTimestamps: true });

  const lines: string[] = [];
  const server = startPostgres({
    postgresPath: tools.postgresPath,
    launch,
    dataDir,
    socketDir,
    settings: { listen_addresses: "", fsync: "off", ...settings },
    onLog: (line) => void lines.push(line),
  });
  const goOn = () => invariant(!server.hasExited(), `PostgreSQL started: ${lines.slice(-3).join("\n")}`);
  const admin = await connectWhenReady(dataDir, socketDir, goOn);

  const urlOf = (user: string) =>
    `postgresql://${user}@localhost/${STORE_DATABASE}?host=${encodeURIComponent(socketDir)}`;
  const stop = () => stopServer(server, admin);
  return {
    url: urlOf(STORE_USER),
    dataDir,
    async logLines() {
      const mark = `up to here: ${randomUUID()}`;
      await admin.query(`do $$ begin raise log '${mark}'; end $$`);
      const isThere = () =>
        invariant(
          lines.some((line) => line.includes(mark)),
          "the log has what was logged",
        );
      await eventually(isThere, { everyMs: LOG_POLL_MS });
      return [...lines];
    },
    async createRole(name) {
      await admin.query(`create role ${pg.escapeIdentifier(name)} login`);
      await admin.query(`grant create on schema public to ${pg.escapeIdentifier(name)}`);
      return urlOf(name);
    },
    async run(...statements) {
      let rows: pg.QueryResult["rows"] = [];
      for (const statement of statements) ({ rows } = await admin.query(statement));
      return rows;
    },
    async tool(name, ...args) {
      const words = [...launch.before, join(tools.postgresPath, "..", name), ...args];
      const [program = "", ...rest] = words;
      const options = { ...programOptions(launch, dataDir), maxBuffer: 2 ** 30 };
      return (await promisify(execFile)(program, rest, options)).stdout;
    },
    stop,
    async close() {
      await stop();
      await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

async function stopServer(server: PostgresProcess, admin: pg.Client): Promise<void> {
  await admin.end().catch(() => {});
  await server.stop();
}

async function initialize(tools: PostgresTools, launch: Launch, dataDir: string): Promise<void> {
  const [program = "", ...args] = [
    ...launch.before,
    tools.initdbPath,
    ...["--pgdata", dataDir, "--username", STORE_USER, "--auth", "trust", "--no-instructions", "--no-sync"],
    ...["--encoding", "UTF8", "--locale", "C"],
  ];
  await promisify(execFile)(program, args, programOptions(launch, dataDir));
}

function findDebianTools(): PostgresTools | undefined {
  if (!existsSync(DEBIAN_DIR)) return undefined;
  const versions = readdirSync(DEBIAN_DIR).sort((one, other) => Number(other) - Number(one));
  for (const major of versions) {
    const bin = join(DEBIAN_DIR, major, "bin");
    const tools = { major, initdbPath: join(bin, "initdb"), postgresPath: join(bin, "postgres") };
    if (existsSync(tools.initdbPath) && existsSync(tools.postgresPath)) return tools;
  }
  return undefined;
}
