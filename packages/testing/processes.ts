import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { signalGroup, signalProcess } from "./process-signals.ts";
import { leaveToReaper } from "./reaper.ts";
import { inNamespace } from "./run.ts";

/** Of a program's output the last so many lines are kept, each cut at so many characters. */
const LINES_MAX = 2000;
const LINE_CHARACTERS_MAX = 8000;

/** How a line is recognised. */
export type LinePattern = RegExp | ((line: string) => boolean);

export interface ProcessOptions {
  command: string;
  args?: readonly string[];
  cwd?: string;
  /** Added to this process's environment; `undefined` takes a variable out. */
  env?: Readonly<Record<string, string | undefined>>;
  /** The network namespace to run in; absent means the one of this process. */
  namespace?: string;
  /** The line that says the program is ready; absent means it is as soon as it runs. */
  readyWhen?: LinePattern;
  /** How long it may take to become ready. Default 30,000. */
  timeoutMs?: number;
}

export interface ExitStatus {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly pid: number;
  /** What it wrote to both outputs, in order of arrival, the last 2,000 lines. */
  lines(): string[];
  /** Resolves to the first line kept or still to come that matches; fails when the time is over or the program ends. */
  waitForLine(pattern: LinePattern, timeoutMs?: number): Promise<string>;
  /** Sends a signal to this one process. */
  kill(signal: NodeJS.Signals): void;
  /** Ends it with SIGTERM; what is left of its group after the grace, 15,000 by default, or after its end, gets SIGKILL. */
  stop(graceMs?: number): Promise<ExitStatus>;
  readonly exited: Promise<ExitStatus>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a program and waits until it is ready.
 *
 * It leads its own process group and is ended with this process, also when a test fails.
 *
 * @throws with its last lines when it ends or is not ready in time
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { command, cwd, env, readyWhen, timeoutMs = 30_000 } = options;
  const [program, args] = inNamespace(options.namespace, command, options.args ?? []);
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = new Promise<ExitStatus>((resolve) => {
    child.on("exit", (code, signal) => resolve({ code, signal }));
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.on("error", (error) => reject(new Error(`${program} could not be started`, { cause: error })));
    child.on("spawn", () => resolve(child.pid ?? 0));
  });
  const forget = leaveToReaper({ pid });
  const output = collectLines([child.stdout, child.stderr]);
  void exited.then(() => output.end());

  const stop = async (graceMs = 15_000): Promise<ExitStatus> => {
    signalProcess(pid, "SIGTERM");
    const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs);
    const status = await exited;
    clearTimeout(timer);
    signalGroup(pid, "SIGKILL");
    forget();
    return status;
  };
  const running: RunningProcess = {
    pid,
    lines: output.lines,
    waitForLine: (pattern, waitMs = 30_000) => output.waitFor(pattern, waitMs, command),
    kill: (signal) => void signalProcess(pid, signal),
    stop,
    exited,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
  if (readyWhen !== undefined) {
    try {
      await running.waitForLine(readyWhen, timeoutMs);
    } catch (error) {
      await stop();
      throw error;
    }
  }
  return running;
}

interface Output {
  lines(): string[];
  waitFor(pattern: LinePattern, timeoutMs: number, command: string): Promise<string>;
  /** Says that the program ended; output on its way still counts. */
  end(): void;
}

/** Keeps the lines of several streams and hands each to those who wait. */
function collectLines(streams: readonly Readable[]): Output {
  const kept: string[] = [];
  const listeners = new Set<(line: string | undefined) => void>();
  let isEnded = false;
  const take = (line: string) => {
    const cut = line.slice(0, LINE_CHARACTERS_MAX);
    kept.push(cut);
    if (kept.length > LINES_MAX) kept.shift();
    for (const listener of [...listeners]) listener(cut);
  };
  for (const stream of streams) createInterface({ input: stream }).on("line", take);

  const waitFor = (pattern: LinePattern, timeoutMs: number, command: string) => {
    const matches = typeof pattern === "function" ? pattern : (line: string) => line.search(pattern) >= 0;
    const found = kept.find(matches);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise<string>((resolve, reject) => {
      const settle = (line: string | undefined, problem: string) => {
        clearTimeout(timer);
        listeners.delete(listener);
        if (line !== undefined) return resolve(line);
        reject(
          new Error(
            `${command} ${problem} ${describe(pattern)}; its last lines:\n${kept.slice(-30).join("\n")}`,
          ),
        );
      };
      const listener = (line: string | undefined) => {
        if (line === undefined) settle(undefined, "ended without a line that matches");
        else if (matches(line)) settle(line, "");
      };
      const timer = setTimeout(
        () => settle(undefined, `wrote within ${timeoutMs} ms no line that matches`),
        timeoutMs,
      );
      listeners.add(listener);
      if (isEnded) listener(undefined);
    });
  };
  const end = () => {
    // The last lines arrive a moment after the exit.
    setTimeout(() => {
      isEnded = true;
      for (const listener of [...listeners]) listener(undefined);
    }, 50);
  };
  return { lines: () => [...kept], waitFor, end };
}

function describe(pattern: LinePattern): string {
  return typeof pattern === "function" ? "the condition" : String(pattern);
}
