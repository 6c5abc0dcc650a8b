import { type ChildProcess, spawn } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the whole project. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

export interface Outcome {
  code: number;
  /** Both outputs in order of arrival; empty when shown directly. */
  output: string;
  seconds: number;
}

export interface CommandOptions {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  /** Shows the output as it comes. Default false: it is collected. */
  isShown?: boolean;
}

const running = new Set<ChildProcess>();

/** Runs a program to its end; a program that cannot be started is an outcome with code 127. */
export function runCommand(
  command: string,
  args: readonly string[],
  { cwd = ROOT, env, isShown = false }: CommandOptions = {},
): Promise<Outcome> {
  const began = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: isShown ? "inherit" : ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
    const settle = (code: number, problem = "") => {
      running.delete(child);
      const seconds = (performance.now() - began) / 1000;
      resolve({ code, output: Buffer.concat(chunks).toString() + problem, seconds });
    };
    child.on("error", (error) => settle(127, `${command}: ${error.message}\n`));
    child.on("close", (code) => settle(code ?? 1));
  });
}

/** Runs the program of an npm package with this Node. */
export function runNodeScript(script: string, args: readonly string[], options: CommandOptions = {}) {
  return runCommand(process.execPath, [`${ROOT}/node_modules/${script}`, ...args], options);
}

/** Ends all programs that still run. */
export function stopCommands(): void {
  for (const child of running) child.kill("SIGTERM");
}
