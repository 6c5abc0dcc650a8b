/**
 * Runs a TypeScript entry under Node 24, whatever Node started the command. Plain JavaScript on the builtins of
 * Node 20, because that is what the machine may have.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const NODE_MAJOR_NEEDED = 24;
const HERE = dirname(fileURLToPath(import.meta.url));

/** The path of a Node that runs TypeScript: the one running this, or the one npm installed; undefined without one. */
export function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_NEEDED) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  for (let dir = HERE; ; dir = dirname(dir)) {
    const candidate = join(dir, "node_modules", name, "bin", "node");
    if (existsSync(candidate)) return candidate;
    if (dir === dirname(dir)) return undefined;
  }
}

/** What to tell a person whose machine has no fit Node. */
export function nodeAdvice() {
  return (
    `SecureWave needs Node.js ${NODE_MAJOR_NEEDED} or newer; this is ${process.version} on ${process.platform} ${process.arch}, ` +
    "and the copy that npm installs is not there (it is for Linux with glibc, x64 and arm64).\n" +
    `Run npm ci in SecureWave's folder, or install Node.js ${NODE_MAJOR_NEEDED} from https://nodejs.org/en/download.`
  );
}

/**
 * Runs an entry with this command's arguments, in this process where it can; signals and the exit code pass through.
 *
 * @param {string} entry path of the TypeScript file
 */
export async function launch(entry) {
  const node = findNode();
  if (node === process.execPath) {
    await import(entry);
    return;
  }
  if (node === undefined) return fail(nodeAdvice());
  // By the channel the child notices when this process was killed.
  const child = spawn(node, [entry, ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      // A terminal sends SIGINT to the child as well.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => fail(`Node.js could not be started: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
