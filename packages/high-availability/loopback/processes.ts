import { readdirSync, readFileSync } from "node:fs";
import { eventually, type RunningProcess, startProcess } from "@securewave/testing";
import { signalProcess } from "@securewave/testing/process-signals";
import type { SystemAccount } from "./account.ts";

/** A program of the cluster that can be lost and come back. */
export interface Part {
  readonly name: string;
  /** It, and whatever it started. */
  processIds(): number[];
  /** All its processes at once, as when the machine loses power. */
  kill(): Promise<void>;
  /** Nothing of it runs, and nothing of it is closed: the machine hangs. */
  freeze(): void;
  thaw(): void;
  start(): Promise<void>;
  /** What it wrote since its start that matches. */
  lineOf(pattern: RegExp): string | undefined;
}

export interface PartOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly account?: SystemAccount;
  /** Resolves when it serves, rejects while it does not. */
  readonly isReady: () => Promise<unknown>;
  /** Processes that it started and let go. */
  readonly others?: () => number[];
}

const READY_MS = 90_000;

export function createPart(options: PartOptions): Part {
  const { name, cwd, env, account, isReady, others = () => [] } = options;
  const { command, args } = account?.wrap(options.command, options.args) ?? options;
  let running: RunningProcess | undefined;

  const processIds = () => withDescendants([...(running ? [running.pid] : []), ...others()]);
  const signalAll = (signal: NodeJS.Signals) => {
    for (const pid of processIds()) signalProcess(pid, signal);
  };
  async function end(): Promise<void> {
    const left = processIds();
    for (const pid of left) signalProcess(pid, "SIGSTOP"); // nobody sees another die
    for (const pid of left) signalProcess(pid, "SIGKILL");
    await running?.exited;
    await running?.stop();
    running = undefined;
  }

  return {
    name,
    processIds,
    kill: end,
    freeze: () => signalAll("SIGSTOP"),
    thaw: () => signalAll("SIGCONT"),
    async start() {
      running = await startProcess({ command, args, cwd, ...(env && { env }) });
      const started = running;
      const lastLines = () => started.lines().slice(-20).join("\n");
      const ended = started.exited.then(() => {
        throw new Error(`${name} ended; its last lines:\n${lastLines()}`);
      });
      ended.catch(() => undefined);
      const ready = eventually(isReady, { timeoutMs: READY_MS }).catch((error: unknown) => {
        throw new Error(`${name} is not ready; its last lines:\n${lastLines()}`, { cause: error });
      });
      await Promise.race([ready, ended]);
    },
    lineOf: (pattern) => running?.lines().find((line) => pattern.test(line)),
  };
}

/** Those that run, with all that they started. */
function withDescendants(roots: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const parent = parentOf(pid);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = new Set<number>();
  const visit = (pid: number) => {
    if (found.has(pid)) return;
    found.add(pid);
    for (const child of children.get(pid) ?? []) visit(child);
  };
  for (const root of roots) if (parentOf(root) !== undefined) visit(root);
  return [...found];
}

function parentOf(pid: number): number | undefined {
  try {
    // proc(5): the name, in brackets, may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined; // it has ended
  }
}
