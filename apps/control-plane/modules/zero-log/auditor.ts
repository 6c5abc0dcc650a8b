import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { HOUR_MS } from "@securewave/foundation";
import {
  type AuditorEvent,
  type AuditorOrder,
  type BackupAnswer,
  type BackupControls,
  parseAuditorEvent,
} from "@securewave/ghosts/auditor-protocol";
import type { Report } from "@securewave/ghosts/report";

export interface Auditing {
  /** Resolves with the report; undefined where the auditor ended without one, or was stopped. */
  readonly finished: Promise<Report | undefined>;
  /** Ends it; it takes away what it made. */
  stop(): Promise<void>;
}

/** A search of terabytes at the speed of a disk. */
const ENDS_WITHIN_MS = 6 * HOUR_MS;
/** Namespaces and devices of ghosts are removed in it. */
const STOPS_WITHIN_MS = 20_000;

/**
 * Runs the auditor as a process of its own, with another memory and less of the processor.
 *
 * @param command a program and its arguments
 * @param backUp has a backup made when the auditor asks for one; it never fails
 */
export function startAuditor(
  command: readonly string[],
  order: AuditorOrder,
  onEvent: (event: AuditorEvent) => void,
  backUp: (controls: BackupControls) => Promise<BackupAnswer>,
): Auditing {
  const [program = "", ...args] = command;
  // What it says of itself can quote what it searches: it goes nowhere.
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.on("error", () => {}); // its end shows below
  const tell = (value: AuditorOrder | BackupAnswer) => {
    if (child.stdin.writable) child.stdin.write(`${JSON.stringify(value)}\n`);
  };
  tell(order);
  let report: Report | undefined;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = parseAuditorEvent(line);
    if (event === undefined) return;
    if (event.kind === "report") report = event.report;
    if (event.kind === "back_up") void backUp(event.controls).then(tell);
    onEvent(event);
  });
  const ended = new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
  const late = setTimeout(() => void stop(), ENDS_WITHIN_MS);
  late.unref();

  async function stop(): Promise<void> {
    child.stdin.end();
    child.kill("SIGTERM");
    const impatient = setTimeout(() => child.kill("SIGKILL"), STOPS_WITHIN_MS);
    await ended;
    clearTimeout(impatient);
  }

  return {
    finished: ended.then((isGood) => {
      clearTimeout(late);
      child.stdin.end();
      return isGood ? report : undefined;
    }),
    stop,
  };
}
