import { spawn } from "node:child_process";

export interface RunOptions {
  /** The network namespace to run in; absent means the one of this process. */
  namespace?: string;
  /** Goes to the program's standard input, which is closed after it. */
  input?: string | Uint8Array;
  cwd?: string;
  /** Added to this process's environment; `undefined` takes a variable out. */
  env?: Readonly<Record<string, string | undefined>>;
  /** After this the program is killed and the call fails. Default 30,000. */
  timeoutMs?: number;
}

export interface RunResult {
  stdout: string;
  stderr: string;
  /** The exit code; -1 when a signal ended the program. */
  code: number;
}

/** The program and arguments that run a command inside a network namespace; `ip` becomes the program, so the pid is its. */
export function inNamespace(
  namespace: string | undefined,
  command: string,
  args: readonly string[],
): [command: string, args: string[]] {
  if (namespace === undefined) return [command, [...args]];
  return ["ip", ["netns", "exec", namespace, command, ...args]];
}

/** A daemon that the program left behind may hold its output open; after this long the output counts as complete. */
const OUTPUT_GRACE_MS = 200;

/**
 * Runs a program to its end and gives back what it wrote.
 *
 * @throws when the program cannot be started or takes too long; a failure code is a result
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { namespace, input, cwd, env, timeoutMs = 30_000 } = options;
  const [program, programArgs] = inNamespace(namespace, command, args);
  return new Promise((resolve, reject) => {
    const child = spawn(program, programArgs, { cwd, env: { ...process.env, ...env }, stdio: "pipe" });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    const finish = (code: number | null) => {
      clearTimeout(timer);
      if (isLate) return reject(new Error(`${command} did not end within ${timeoutMs} ms`));
      const result = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
      resolve({ ...result, code: code ?? -1 });
    };
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new Error(`${program} could not be started`, { cause: error }));
    });
    child.on("close", finish);
    child.on("exit", (code) => {
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        finish(code);
      }, OUTPUT_GRACE_MS).unref();
    });
    child.stdin.on("error", () => {
      // The program ended without reading all of its input; its exit code tells how it fared.
    });
    child.stdin.end(input);
  });
}

/**
 * Runs a program that must succeed.
 *
 * @throws with what it wrote to its error output when the exit code is not 0
 */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    throw new Error(`${command} ${args[0] ?? ""} failed with code ${result.code}: ${result.stderr.trim()}`);
  }
  return result;
}
