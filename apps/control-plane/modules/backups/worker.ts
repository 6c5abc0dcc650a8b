import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type BackupEvent, type BackupOrder, parseBackupEvent } from "./order.ts";

export interface Working {
  /** Resolves with whether the worker came to its end; what it did, its events said. */
  readonly finished: Promise<boolean>;
  /** Ends it; what is half done has no manifest, and the next clean-up removes it. */
  stop(): Promise<void>;
}

/** A scratch server is shut down in it. */
const STOPS_WITHIN_MS = 20_000;

/**
 * Runs the worker as a process of its own, with another memory and less of the processor.
 *
 * @param command a program and its arguments
 */
export function startWork(
  command: readonly string[],
  order: BackupOrder,
  onEvent: (event: BackupEvent) => void,
): Working {
  const [program = "", ...args] = command;
  // What it says of itself can quote what it reads: it goes nowhere.
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.on("error", () => {}); // its end shows below
  child.stdin.write(`${JSON.stringify(order)}\n`);
  const lines = createInterface({ input: child.stdout }).on("line", (line) => {
    const event = parseBackupEvent(line);
    if (event !== undefined) onEvent(event);
  });
  const read = new Promise<void>((resolve) => lines.once("close", () => resolve()));
  const ended = new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
  return {
    finished: Promise.all([ended, read]).then(([isGood]) => {
      child.stdin.end();
      return isGood;
    }),
    async stop() {
      child.stdin.end();
      child.kill("SIGTERM");
      const impatient = setTimeout(() => child.kill("SIGKILL"), STOPS_WITHIN_MS);
      await ended;
      clearTimeout(impatient);
    },
  };
}
