/**
 * `npm test [filter …] [vitest options]`: installs what the tests need, builds the service, runs all tests.
 *
 * The last line is `N passed, N failed` or `N passed, N failed, N skipped`, for machines to read.
 */
import { createVitest, parseCLI } from "vitest/node";
import { summarise } from "../packages/testing/run-summary.ts";
import { buildChanged } from "./build.ts";
import { ROOT, runCommand, stopCommands } from "./commands.ts";
import { canInstall, missingPrerequisites } from "./prerequisites.ts";

/** Installs missing Debian packages as root; says otherwise what to run and what will be missed. */
async function provideTools(): Promise<void> {
  if (process.getuid?.() !== 0) {
    console.log(
      "Not root: tests that make networks and tunnels will be skipped. To run them too: sudo npm test\n",
    );
  }
  const missing = missingPrerequisites();
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  console.log(
    `Missing for the tests:${missing.map(({ name, reason }) => `\n  ${name}: ${reason}`).join("")}`,
  );
  if (!canInstall()) {
    console.log(
      "Tests that need them will be skipped. To run them all, install them first (Debian, Ubuntu):",
    );
    console.log(
      `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(" ")}\n`,
    );
    return;
  }
  console.log("Installing them with apt-get …");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const steps = [
    ["update", "-q"],
    ["install", "-q", "-y", "--no-install-recommends", ...names],
  ];
  for (const step of steps) {
    const { code, output, seconds } = await runCommand("apt-get", step, { env });
    if (code === 0) {
      console.log(`  apt-get ${step[0]} done in ${seconds.toFixed(0)} s`);
    } else {
      console.log(output);
      console.log(
        `apt-get ${step[0]} failed with code ${code}; tests that need the packages will be skipped.\n`,
      );
      return;
    }
  }
}

/** Builds what the tests of the whole service start. */
async function build(): Promise<boolean> {
  try {
    await buildChanged((line) => console.log(line));
    return true;
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
    return false;
  }
}

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs the tests; what breaks outside of a test counts as failed. */
async function runTests(args: readonly string[]): Promise<Count> {
  const { filter, options } = parseCLI(["vitest", "run", ...args]);
  const vitest = await createVitest("test", { ...options, root: ROOT, watch: false, run: true });
  onSignal(() => vitest.cancelCurrentRun("keyboard-input"));
  let broken = 0;
  try {
    await vitest.start(filter);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    broken++;
  }
  const { passed, failed, skipped } = summarise(vitest.state.getTestModules(), vitest.config.testNamePattern);
  broken += vitest.state.getUnhandledErrors().length;
  await vitest.close();
  return { passed, failed: failed + broken, skipped };
}

function isSet(variable: string | undefined): boolean {
  return variable !== undefined && !["", "0", "false"].includes(variable.toLowerCase());
}

/** The exit code once a signal came; what runs is then ended in order, so that nothing is left behind. */
let stopCode: number | undefined;

/** How long a test under way may take to end after a signal. */
const STOP_MAX_MS = 10_000;

/** Sets what a signal does, in place of what it did before. */
function onSignal(stop: () => unknown): void {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => {
      if (stopCode !== undefined) return;
      stopCode = code;
      setTimeout(() => process.exit(code), STOP_MAX_MS).unref();
      stop();
    });
  }
}

function exitIfStopped(): void {
  if (stopCode !== undefined) process.exit(stopCode);
}

onSignal(stopCommands);
await provideTools();
exitIfStopped();
const isBuilt = await build();
exitIfStopped();
const { passed, failed, skipped } = await runTests(process.argv.slice(2));
exitIfStopped();
const failedAll = failed + (isBuilt ? 0 : 1);
if (!isBuilt) console.log("\nThe build failed; that counts as one failure.");
const isIncomplete = skipped > 0 && isSet(process.env.CI);
if (isIncomplete) console.log("\nCI is set, where nothing may be skipped.");
console.log(`\n${passed} passed, ${failedAll} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failedAll > 0 || isIncomplete ? 1 : Number(process.exitCode ?? 0));
