import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);
const TIMEOUT_MS = 60_000;

export interface Ended {
  /** Undefined where there is no such program, or a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
}

/** Runs a program of the system to its end, whatever comes of it. */
export async function run(program: string, args: readonly string[]): Promise<Ended> {
  try {
    const { LOG_LEVEL: _, ...env } = process.env; // with it, wireguard-go would hold our pipes open
    const { stdout } = await execute(program, args, { timeout: TIMEOUT_MS, env: { ...env, LC_ALL: "C" } });
    return { code: 0, stdout };
  } catch (error) {
    const isObject = error instanceof Error;
    const code = isObject && "code" in error && typeof error.code === "number" ? error.code : undefined;
    const stdout = isObject && "stdout" in error ? String(error.stdout) : "";
    return { code, stdout };
  }
}

/** @throws where it fails; without what it said, which may quote addresses */
export async function mustRun(program: string, ...args: string[]): Promise<string> {
  const { code, stdout } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args[0] ?? ""} failed`);
  return stdout;
}
