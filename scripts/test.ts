/**
 * `npm test [filter …] [vitest options]`: installs what the tests need, builds the service, runs all tests.
 *
 * The last line is `N passed, N failed` or `N passed, N failed, N skipped`, for machines to read.
 */
import { type CliOptions, createVitest, parseCLI, type TestModule } from "vitest/node";
import {
  failuresOf,
  hasCounterexample,
  type RunSummary,
  summarise,
} from "../packages/testing/run-summary.ts";
import { buildChanged } from "./build.ts";
import { ROOT, runCommand, stopCommands } from "./commands.ts";
import { canInstall, missingPrerequisites } from "./prerequisites.ts";
import { installQuietly } from "./quiet-install.ts";

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
  const services = missing.flatMap((prerequisite) => prerequisite.services ?? []);
  await installQuietly(() => runSteps(steps, env), services);
}

/** @returns whether all of them worked */
async function runSteps(
  steps: readonly (readonly string[])[],
  env: Readonly<Record<string, string>>,
): Promise<boolean> {
  for (const step of steps) {
    const { code, output, seconds } = await runCommand("apt-get", step, { env });
    if (code === 0) {
      console.log(`  apt-get ${step[0]} done in ${seconds.toFixed(0)} s`);
    } else {
      console.log(output);
      console.log(
        `apt-get ${step[0]} failed with code ${code}; tests that need the packages will be skipped.\n`,
      );
      return false;
    }
  }
  return true;
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

/** More than so many failed files are no accident of a busy machine. */
const AGAIN_MAX = 4;

interface Run {
  modules: readonly TestModule[];
  namePattern: RegExp | undefined;
  /** What broke outside of any file. */
  broken: number;
}

async function runOnce(filter: string[], options: CliOptions): Promise<Run> {
  const vitest = await createVitest("test", { ...options, root: ROOT, watch: false, run: true });
  onSignal(() => vitest.cancelCurrentRun("keyboard-input"));
  let broken = 0;
  try {
    await vitest.start(filter);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    broken++;
  }
  const modules = vitest.state.getTestModules();
  broken += vitest.state.getUnhandledErrors().length;
  await vitest.close();
  return { modules, namePattern: vitest.config.testNamePattern, broken };
}

/** Runs the tests; the few files that failed beside others run once more, each alone, and that counts. */
async function runTests(args: readonly string[]): Promise<RunSummary> {
  const { filter, options } = parseCLI(["vitest", "run", ...args]);
  const { modules, namePattern, broken } = await runOnce(filter, options);
  const failed = modules.filter((module) => failuresOf(module).length > 0);
  const isFew = failed.length > 0 && failed.length <= AGAIN_MAX && failed.length < modules.length;
  const isAccident = isFew && !failed.some(hasCounterexample);
  if (!isAccident || stopCode !== undefined) return withFailures(summarise(modules, namePattern), broken);

  console.log(`\nFailed beside other files; once more, alone:${listed(failed.map(nameOfModule))}`);
  process.exitCode = 0; // set by the first run; from here the second one judges
  const again = await runOnce(
    failed.map(({ moduleId }) => moduleId),
    { ...options, fileParallelism: false },
  );
  const failures = new Set(again.modules.flatMap(failuresOf).map(({ name }) => name));
  const unsteady = failed.flatMap(failuresOf).filter(({ name }) => !failures.has(name));
  if (unsteady.length > 0) {
    const told = unsteady.map(({ name, why }) => `${name}\n    ${why.replaceAll("\n", "\n    ")}`);
    console.log(`\nUnsteady: failed beside other files, passed alone. To be mended:${listed(told)}`);
  }
  const held = modules.filter((module) => !failed.includes(module));
  const notRun = Math.max(failed.length - again.modules.length, 0);
  return withFailures(summarise([...held, ...again.modules], namePattern), broken + again.broken + notRun);
}

const withFailures = (summary: RunSummary, more: number) => ({ ...summary, failed: summary.failed + more });
const nameOfModule = (module: TestModule) => module.relativeModuleId;
const listed = (lines: readonly string[]) => lines.map((line) => `\n  ${line}`).join("");

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
