import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const TIMEOUT_MS = 120_000;

/** A program of the system with its arguments, and what it is run under, such as `ip netns exec <namespace>`. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly before?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a program and gives what it wrote.
 *
 * @returns undefined where there is no such program
 * @throws when it fails
 */
export async function outputOf({ program, args, before = [], env }: Command): Promise<Buffer | undefined> {
  const [first = program, ...rest] = [...before, program, ...args];
  try {
    const { stdout } = await execute(first, rest, {
      encoding: "buffer",
      maxBuffer: OUTPUT_BYTES_MAX,
      timeout: TIMEOUT_MS,
      env: { ...process.env, LC_ALL: "C", ...env },
    });
    return stdout;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    // `ip netns exec` and `sh` say it with this code.
    const isMissingWithin = error instanceof Error && "code" in error && error.code === 127;
    const says = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
    if (isMissing || isMissingWithin || /exec of .* failed: No such file/.test(says)) return undefined;
    throw new Error(`${program} failed`, { cause: error });
  }
}
