/**
 * The door to the project: `npm start`, `npm test`, `npm run bench` and `npm run check` come here.
 *
 * Plain JavaScript on the builtins of Node 20, because it runs before anything is installed: it installs the
 * dependencies when package-lock.json changed, finds Node 24, and hands over to the TypeScript entry.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findNode, nodeAdvice } from "../packages/foundation/launch.mjs";
import { CONTROL_PLANE } from "./program.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const BUILD = "scripts/build.ts";
const TASKS = {
  start: { before: [BUILD], ...CONTROL_PLANE },
  build: { before: [], entry: BUILD },
  test: { before: [], entry: "scripts/test.ts" },
  bench: { before: [BUILD], entry: "bench/main.ts" },
  check: { before: [], entry: "scripts/check.ts" },
};

/** A failure with a next step for the reader; shown without a stack. */
class Advice extends Error {}

const lockPath = join(root, "package-lock.json");
const stampPath = join(root, "node_modules", ".securewave-installed");

/** The text the stamp must hold for the installed packages to be the ones of package-lock.json. */
function wantedStamp() {
  if (!existsSync(lockPath)) {
    throw new Advice(
      "package-lock.json is missing, so what to install is unknown.\nGet a complete copy of the project: git checkout -- package-lock.json",
    );
  }
  return `${createHash("sha256").update(readFileSync(lockPath)).digest("hex")} ${process.platform} ${process.arch}\n`;
}

function isInstalled(stamp) {
  return existsSync(stampPath) && readFileSync(stampPath, "utf8") === stamp;
}

/** Whether a plain `npm install` already put the very packages of package-lock.json in place. */
function isInstalledByHand() {
  const recordPath = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(recordPath)) return false;
  const record = JSON.parse(readFileSync(recordPath, "utf8")).packages;
  const wanted = Object.entries(JSON.parse(readFileSync(lockPath, "utf8")).packages);
  return wanted.every(([path, entry]) => {
    if (!path.includes("node_modules/")) return true;
    const installed = record[path];
    if (installed === undefined) return entry.optional === true || entry.peer === true;
    return installed.version === entry.version && installed.resolved === entry.resolved;
  });
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Takes the right to install; resolves to false when another command installed the same meanwhile. */
async function takeInstallLock(holderPath, stamp) {
  mkdirSync(dirname(holderPath), { recursive: true });
  for (let announced = false; ; announced = true) {
    try {
      writeFileSync(holderPath, String(process.pid), { flag: "wx" });
      return true;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (isInstalled(stamp)) return false;
    const holder = existsSync(holderPath) ? Number(readFileSync(holderPath, "utf8")) : 0;
    if (holder > 0 && !isAlive(holder)) rmSync(holderPath, { force: true });
    else if (!announced) {
      console.log("Another command is installing the dependencies; waiting for it.");
      console.log("(If none is: delete the file .cache/installing.)");
    }
    await pause(500);
  }
}

async function install() {
  const stamp = wantedStamp();
  if (isInstalled(stamp)) return;
  const holderPath = join(root, ".cache", "installing");
  if (!(await takeInstallLock(holderPath, stamp))) return;
  try {
    if (isInstalled(stamp)) return;
    if (!isInstalledByHand()) await npmCi();
    writeFileSync(stampPath, stamp);
  } finally {
    rmSync(holderPath, { force: true });
  }
}

async function npmCi() {
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1000);
  console.log("Installing the dependencies with npm ci (only when package-lock.json changed) …");
  const beat = setInterval(() => console.log(`  still installing, ${seconds()} s`), 15_000);
  const args = ["ci", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"];
  // A production setting in the environment must not leave out what tests and checks need.
  args.push("--include=dev", "--include=optional");
  const status = await runChild("npm", args).finally(() => clearInterval(beat));
  if (status.signal) endBy(status.signal);
  if (status.code !== 0) {
    throw new Advice(
      `npm ci ended with code ${status.code}; its message is above.\n` +
        `If it could not download: this machine must reach the npm registry; then run the command again.\n` +
        `If it says that package.json and package-lock.json differ: npm install`,
    );
  }
  console.log(`Installed in ${seconds()} s.`);
}

let child;

/** When each signal came last, in milliseconds since 1970. */
const lastAt = new Map();

/** Runs a program on this terminal; resolves with how it ended. */
function runChild(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    child = spawn(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
    child.on("error", (error) => {
      reject(
        error.code === "ENOENT"
          ? new Advice(`The program ${command} was not found; install it first.`)
          : error,
      );
    });
    child.on("exit", (code, signal) => resolve({ code, signal }));
  });
}

/**
 * Passes signals on. A terminal sends SIGINT to the whole foreground group, the child included, so there it is
 * not sent a second time; npm repeats signals, so one that comes again within a second counts once.
 */
function passSignalsOn() {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      const now = Date.now();
      if (now - (lastAt.get(signal) ?? 0) < 1000) return;
      lastAt.set(signal, now);
      if (signal === "SIGINT" && process.stdin.isTTY) return;
      child?.kill(signal);
    });
  }
}

/** One line that changes when npm, or the shell that npm puts between itself and this process, is gone. */
function describeParents() {
  const parent = process.ppid;
  try {
    const isShellOfNpm = readFileSync(`/proc/${parent}/cmdline`, "utf8").includes("scripts/run.mjs");
    if (!isShellOfNpm) return `${parent}`;
    const grandparent = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${parent}/status`, "utf8"))?.[1];
    return `${parent} ${grandparent}`;
  } catch {
    return `${parent}`;
  }
}

/** Ends the child when npm is gone: npm does not pass on SIGKILL, and other signals to that shell only. */
function followNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parents = describeParents();
  const watch = setInterval(() => {
    if (describeParents() === parents) return;
    clearInterval(watch);
    if (lastAt.size === 0) child?.kill("SIGTERM");
  }, 250);
  watch.unref();
}

/** Ends this process the way its child ended, so that the caller sees the same signal. */
function endBy(signal) {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

async function main() {
  const [task, ...args] = process.argv.slice(2);
  const wanted = TASKS[task];
  if (wanted === undefined) {
    throw new Advice(`Use: node scripts/run.mjs <${Object.keys(TASKS).join("|")}> [arguments]`);
  }
  passSignalsOn();
  followNpm();
  await install();
  const node = findNode();
  if (node === undefined) throw new Advice(nodeAdvice());
  for (const step of wanted.before) {
    const status = await runChild(node, [join(root, step)]);
    if (status.signal) return endBy(status.signal);
    if (status.code !== 0) {
      process.exitCode = status.code;
      return;
    }
  }
  const status = await runChild(
    node,
    [...(wanted.flags ?? []), join(root, wanted.entry), ...args],
    wanted.env,
  );
  if (status.signal) endBy(status.signal);
  else process.exitCode = status.code;
}

main().catch((error) => {
  console.error(error instanceof Advice ? `\n${error.message}` : error);
  process.exitCode = 1;
});
