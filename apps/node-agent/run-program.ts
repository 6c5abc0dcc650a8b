import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { AgentError } from "./errors.ts";

/** The Debian package that a program comes in. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: "iproute2",
  nft: "nftables",
  perl: "perl-base",
  wg: "wireguard-tools",
  "wireguard-go": "wireguard-go",
};

/** Daemons are often started without the folders that hold `ip` and `nft`. */
const SEARCH_PATH = [process.env.PATH, "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"]
  .filter(Boolean)
  .join(":");

const TIMEOUT_MS = 30_000;

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly input?: string;
  /** Texts that the program opens as `/dev/fd/3`, `/dev/fd/4` …; see `withMemoryFiles`. */
  readonly files?: readonly number[];
  readonly env?: Readonly<Record<string, string>>;
  /** In a session of its own, for a daemon: a Ctrl-C meant for the agent does not reach it. */
  readonly ownSession?: boolean;
  /** Throws away what the program prints, other than its errors. */
  readonly isSilent?: boolean;
}

/**
 * Runs a program to its end, whatever its exit code.
 *
 * @throws AgentError when it is not installed or does not end in 30 s
 */
export function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { PATH: SEARCH_PATH, LC_ALL: "C", ...options.env },
      stdio: [
        options.input === undefined ? "ignore" : "pipe",
        options.isSilent ? "ignore" : "pipe",
        "pipe",
        ...(options.files ?? []),
      ],
      cwd: "/",
      detached: options.ownSession ?? false,
    });
    // Node's own time-out would hold this process for its whole length after a program that is not there.
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
      const chunks: Buffer[] = [];
      stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
      return () => Buffer.concat(chunks).toString("utf8");
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(isMissing(error) ? notInstalled(program) : error);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (signal === "SIGKILL") reject(new AgentError(`${program} did not end within 30 seconds.`));
      else resolve({ code: code ?? 1, stdout: stdout?.() ?? "", stderr: stderr?.() ?? "" });
    });
  });
}

/**
 * Runs a program that must succeed and reads what it prints as bytes, which are overwritten once they are read: for
 * output with addresses of people in it, which must not become text.
 *
 * @param read must not keep the bytes
 */
export function readBytes<Result>(
  task: string,
  program: string,
  args: readonly string[],
  read: (printed: Buffer) => Result,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { PATH: SEARCH_PATH, LC_ALL: "C" },
      stdio: ["ignore", "pipe", "ignore"],
      cwd: "/",
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(isMissing(error) ? notInstalled(program) : error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      const printed = Buffer.concat(chunks);
      for (const chunk of chunks) chunk.fill(0);
      try {
        if (code === 0) resolve(read(printed));
        else reject(new AgentError(`${program} failed at ${task}.`));
      } catch (error) {
        reject(error);
      } finally {
        printed.fill(0);
      }
    });
  });
}

/**
 * Runs a program that must succeed.
 *
 * @param task completes "… failed", as in "creating the interface"
 */
export async function mustRun(
  task: string,
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args, options);
  if (code === 0) return stdout;
  // What wg prints may quote a key.
  const words = program === "wg" ? "" : (stderr.trim().split("\n")[0] ?? "");
  throw new AgentError(`${program} failed at ${task}${words ? `: ${words}` : "."}`);
}

function isMissing(error: Error): boolean {
  return "code" in error && error.code === "ENOENT";
}

function notInstalled(program: string): AgentError {
  const name = PACKAGES[program] ?? program;
  return new AgentError(
    `The program ${program} was not found. Install it, on Debian or Ubuntu with: apt-get install ${name}`,
  );
}

/**
 * Lends texts to a program as open files without names. `wg` takes secrets only from files, and Node's pipes are
 * sockets, which `/dev/stdin` and `/dev/fd/N` cannot open.
 *
 * @param dir on a memory disk
 */
export async function withMemoryFiles<Result>(
  dir: string,
  texts: readonly string[],
  use: (files: readonly number[]) => Promise<Result>,
): Promise<Result> {
  const files: number[] = [];
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    for (const text of texts) {
      const path = join(dir, `.${randomBytes(12).toString("hex")}`);
      const file = openSync(path, "wx+", 0o600);
      files.push(file);
      unlinkSync(path);
      writeSync(file, text);
    }
    return await use(files);
  } finally {
    for (const file of files) closeSync(file);
  }
}
