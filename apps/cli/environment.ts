import { homedir } from "node:os";
import { type Clock, systemClock } from "@securewave/foundation";
import { type RunDrill, runDrill } from "./commands/drill-process.ts";
import { createMachine, type Machine } from "./doctor/machine.ts";
import type { Sink } from "./output.ts";

/** All that the command takes from outside itself, so that tests can give it. */
export interface Environment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: Sink;
  readonly stderr: Sink & NodeJS.WritableStream;
  readonly clock: Clock;
  /** What `doctor` looks at. */
  readonly machine: Machine;
  /** Carries out one drill, on services of its own. */
  readonly runDrill: RunDrill;
}

export function processEnvironment(): Environment {
  return {
    env: process.env,
    homeDir: homedir(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    clock: systemClock,
    machine: createMachine(process.env),
    runDrill,
  };
}
