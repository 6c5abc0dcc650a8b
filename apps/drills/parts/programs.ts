import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import type { Drill } from "../drill.ts";

export interface Program {
  readonly pid: number;
  readonly exited: Promise<void>;
  /** All that it wrote, by lines; the newest 500. */
  readonly lines: readonly string[];
  /** Resolves with the first line that fits. */
  waitFor(pattern: RegExp, withinMs?: number): Promise<string>;
  /** Ends it the way a power cut would: with all that it started. */
  cut(): Promise<void>;
  /** Asks it to end, and cuts it where it does not. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly args: readonly string[];
  readonly cwd: string;
  /** All that it has of an environment, but for PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  /** How it ends with the drill; `cut` where nothing is said. */
  readonly atEnd?: "cut" | "stop";
}

const LINES_MAX = 500;
const READY_MS = 120_000;
const STOPS_WITHIN_MS = 20_000;

/**
 * Starts a program with an environment of its own, which ends with the drill.
 *
 * @throws Error where the drill has ended, as on Ctrl-C
 */
export function startProgram(
  { closing }: Pick<Drill, "closing">,
  command: string,
  { args, cwd, env = {}, atEnd = "cut" }: StartOptions,
): Program {
  if (closing.disposed) throw new Error("the drill has ended");
  const { PATH = "/usr/sbin:/usr/bin:/sbin:/bin", HOME = cwd } = process.env;
  const child = spawn(command, args, {
    cwd,
    env: { PATH, HOME, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const heard = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      if (lines.length > LINES_MAX) lines.shift();
      for (const hear of heard) hear(line);
    });
  const exited = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      lines.push(error.message);
      resolve();
    });
    child.once("exit", () => resolve());
  });

  const program: Program = {
    pid: child.pid ?? 0,
    exited,
    lines,
    waitFor(pattern, withinMs = READY_MS) {
      return new Promise((resolve, reject) => {
        const done = (end: () => void) => {
          clearTimeout(timer);
          heard.delete(hear);
          end();
        };
        const hear = (line: string) => pattern.test(line) && done(() => resolve(line));
        const fail = (why: string) =>
          done(() => reject(new Error(`${command} ${why}: ${lines.slice(-5).join(" | ")}`)));
        const timer = setTimeout(() => fail("is not ready in time"), withinMs);
        const former = lines.find((line) => pattern.test(line));
        if (former !== undefined) done(() => resolve(former));
        else heard.add(hear);
        void exited.then(() => heard.has(hear) && fail("ended"));
      });
    },
    async cut() {
      await cutTree(child);
      await exited;
    },
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => void cutTree(child), STOPS_WITHIN_MS);
      await exited;
      clearTimeout(timer);
    },
  };
  closing.defer(program[atEnd]);
  return program;
}

/** What a program started, and what that did, whether or not in sessions of their own. */
async function cutTree(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const pids = [child.pid, ...(await descendantsOf(child.pid))];
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {} // it has ended by itself
  }
}

async function descendantsOf(pid: number): Promise<number[]> {
  const listing = spawn("ps", ["-e", "-o", "pid=,ppid="], { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  listing.stdout.on("data", (chunk) => {
    text += String(chunk);
  });
  await once(listing, "close");
  const pairs = text
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found: number[] = [];
  for (let ring = [pid]; ring.length > 0; ) {
    ring = pairs.flatMap(([child = 0, parent = 0]) => (ring.includes(parent) ? [child] : []));
    found.push(...ring);
  }
  return found;
}

/** A port of 127.0.0.1 that nobody has at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("there is no port");
  return address.port;
}
