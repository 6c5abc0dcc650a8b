import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { constants, existsSync } from "node:fs";
import { access, open, readFile, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isErrno } from "../files.ts";

/** Whether a port can be taken; `denied` for want of rights. */
export type PortState = "free" | "taken" | "denied";

/** What can be asked of the machine. Nothing here changes it. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  readonly nodeVersion: string;
  /** Undefined where users have no numbers. */
  readonly uid: number | undefined;
  /** The checkout this program stands in; undefined when it was installed otherwise. */
  readonly projectDir: string | undefined;
  readonly workingDir: string;
  /** Undefined when the file cannot be read. */
  readonly readText: (path: string) => Promise<string | undefined>;
  readonly exists: (path: string) => boolean;
  /** Permission bits and time of the last change in milliseconds since 1970. */
  readonly stat: (path: string) => Promise<{ readonly mode: number; readonly changedMs: number } | undefined>;
  readonly canWrite: (path: string) => Promise<boolean>;
  /** Opens a device for reading and writing, and closes it. */
  readonly canOpenDevice: (path: string) => Promise<boolean>;
  readonly freeBytes: (path: string) => Promise<number | undefined>;
  /** Undefined when the program is not there. */
  readonly run: (
    program: string,
    args: readonly string[],
  ) => Promise<{ readonly succeeded: boolean; readonly stdout: string } | undefined>;
  readonly tryTcpPort: (host: string, port: number) => Promise<PortState>;
  readonly tryUdpPort: (port: number) => Promise<PortState>;
  /** Undefined without an answer. `date` is the answer's header. */
  readonly get: (url: string) => Promise<{ readonly text: string; readonly date: string | null } | undefined>;
}

const RUN_MS_MAX = 5000;
const GET_MS_MAX = 3000;

export function createMachine(env: Readonly<Record<string, string | undefined>>): Machine {
  return {
    platform: process.platform,
    arch: process.arch,
    nodeVersion: process.versions.node,
    uid: process.getuid?.(),
    projectDir: findProject(),
    workingDir: process.cwd(),
    readText: (path) => readFile(path, "utf8").catch(() => undefined),
    exists: existsSync,
    stat: async (path) => {
      const found = await stat(path).catch(() => undefined);
      return found && { mode: found.mode & 0o777, changedMs: found.mtimeMs };
    },
    canWrite: (path) => isPossible(access(path, constants.W_OK | constants.X_OK)),
    canOpenDevice: (path) => isPossible(open(path, "r+").then((device) => device.close())),
    freeBytes: async (path) => {
      const found = await statfs(path).catch(() => undefined);
      return found && found.bavail * found.bsize;
    },
    run: (program, args) => runProgram(program, args, env),
    tryTcpPort,
    tryUdpPort,
    get,
  };
}

function findProject(): string | undefined {
  for (let dir = dirname(fileURLToPath(import.meta.url)); dir !== dirname(dir); dir = dirname(dir)) {
    if (existsSync(join(dir, "package-lock.json"))) return dir;
  }
  return undefined;
}

async function isPossible(attempt: Promise<unknown>): Promise<boolean> {
  try {
    await attempt;
    return true;
  } catch {
    return false;
  }
}

function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
) {
  // The tools of the administrator are not on everybody's path.
  const path = `${env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
  return new Promise<{ succeeded: boolean; stdout: string } | undefined>((done) => {
    execFile(
      program,
      [...args],
      { env: { ...env, PATH: path, LC_ALL: "C" }, timeout: RUN_MS_MAX },
      (error, stdout) => {
        done(error !== null && isErrno(error, "ENOENT") ? undefined : { succeeded: error === null, stdout });
      },
    );
  });
}

function portStateOf(error: Error): PortState {
  return isErrno(error, "EACCES") || isErrno(error, "EPERM") ? "denied" : "taken";
}

function tryTcpPort(host: string, port: number): Promise<PortState> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", (error) => done(portStateOf(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => done("free")));
  });
}

function tryUdpPort(port: number): Promise<PortState> {
  return new Promise((done) => {
    const socket = createSocket("udp4");
    socket.once("error", (error) => {
      socket.close();
      done(portStateOf(error));
    });
    socket.bind({ port, exclusive: true }, () => socket.close(() => done("free")));
  });
}

async function get(url: string): Promise<{ text: string; date: string | null } | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(GET_MS_MAX) });
    return { text: await response.text(), date: response.headers.get("date") };
  } catch {
    return undefined;
  }
}

/** The nearest folder at or above a path that exists. */
export function nearestExisting(machine: Pick<Machine, "exists">, path: string): string {
  let dir = resolve(path);
  while (!machine.exists(dir) && dir !== dirname(dir)) dir = dirname(dir);
  return dir;
}
