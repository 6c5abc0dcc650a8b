import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { createManualClock, invariant } from "@securewave/foundation";
import type { Machine } from "../doctor/machine.ts";
import type { Environment } from "../environment.ts";
import { run } from "../program.ts";
import { fakeMachine } from "./fake-machine.ts";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The one JSON value on stdout. */
  readonly json: () => unknown;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Columns of a terminal with a person at it, who types `stdin`. */
  readonly terminal?: number;
  readonly machine?: Machine;
  /** Carries out drills; without it none can be. */
  readonly runDrill?: Environment["runDrill"];
}

export interface Home {
  readonly dir: string;
  /** Runs a command as a user whose home this is. */
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
  readonly remove: () => Promise<void>;
}

export const noDrill: Environment["runDrill"] = () => Promise.reject(new Error("no drill was given"));

export async function createHome(url: string): Promise<Home> {
  const dir = await mkdtemp(join(tmpdir(), "securewave-cli-"));
  return {
    dir,
    run: (args, options = {}) =>
      runIn(dir, args, { ...options, env: { SECUREWAVE_URL: url, ...options.env } }),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

async function runIn(homeDir: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const { terminal } = options;
  const stdout = createSink(terminal);
  const stderr = createSink(terminal);
  const stdin = new PassThrough();
  if (terminal === undefined) stdin.end(options.stdin ?? "");
  else typeLines(stdin, stderr, options.stdin ?? "");
  const code = await run(args, {
    env: options.env ?? {},
    homeDir,
    stdin: Object.assign(stdin, { isTTY: terminal !== undefined }),
    stdout: stdout.stream,
    stderr: stderr.stream,
    clock: createManualClock(Date.parse("2026-11-20T12:00:00Z")),
    machine: options.machine ?? fakeMachine(),
    runDrill: options.runDrill ?? noDrill,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text(), json: () => JSON.parse(stdout.text()) };
}

interface TestSink {
  readonly stream: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly text: () => string;
  readonly onText: (listener: () => void) => void;
}

function createSink(columns: number | undefined): TestSink {
  let text = "";
  const listeners: (() => void)[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      for (const listener of listeners) listener();
      done();
    },
  });
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  return {
    stream: Object.assign(stream, terminal),
    text: () => text,
    onText: (listener) => listeners.push(listener),
  };
}

/** Types the next line whenever a question stands there. */
function typeLines(stdin: PassThrough, stderr: TestSink, typed: string): void {
  const lines = typed.split("\n");
  let answered = 0;
  stderr.onText(() => {
    const asked = stderr.text().match(/\[y\/N\] |Mail address: |Password: |Password again: /g)?.length ?? 0;
    if (asked <= answered) return;
    answered++;
    const line = lines.shift();
    invariant(line !== undefined, "the test types an answer to every question");
    setImmediate(() => stdin.write(`${line}\n`));
  });
}
