/** `npm run bench [-- NAME… --json --quick]`: measures the project's figures, and beside each the raw way. */
import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createNetwork, run } from "@securewave/testing";
import { type Bench, type Figure, jsonOf, type LeftOut, tableOf } from "./figure.ts";
import { BENCHES } from "./list.ts";
import { openScene, type Scene, sceneRequirements } from "./scene.ts";

/** Set in the process that runs inside the namespace that this program made. */
const INSIDE = "SECUREWAVE_BENCH_INSIDE";
/** Longer than the reaper gives to programs that end. */
const REAPING_MAX_MS = 8000;
const OPTIONS = ["--json", "--quick"];

const args = process.argv.slice(2);
const names = args.filter((arg) => !arg.startsWith("--"));
const mistake =
  args.find((arg) => arg.startsWith("--") && !OPTIONS.includes(arg)) ?? names.find((name) => !benchOf(name));
const tunnels = sceneRequirements();

if (mistake !== undefined) {
  process.stderr.write(
    `${mistake} is not known. Use: npm run bench [-- ${BENCHES.map(({ name }) => name).join("|")} … --json --quick]\n`,
  );
  process.exitCode = 1;
} else if (tunnels.ok && process.env[INSIDE] === undefined) {
  process.exitCode = await runInNamespace();
} else {
  process.exitCode = await measureAll(
    BENCHES.filter(({ name }) => names.length === 0 || names.includes(name)),
  );
}

function benchOf(name: string): Bench | undefined {
  return BENCHES.find((bench) => bench.name === name);
}

/** Runs this program once more in a network namespace, so that a node's addresses and rules touch nothing else. */
async function runInNamespace(): Promise<number> {
  const network = createNetwork();
  try {
    const namespace = await network.addNamespace("bench");
    const command = [process.execPath, fileURLToPath(import.meta.url), ...args];
    const child = spawn("ip", ["netns", "exec", namespace, ...command], {
      stdio: "inherit",
      env: { ...process.env, [INSIDE]: namespace },
    });
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => resolve(waitUntilLeft(namespace).then(() => code ?? 1)));
    });
  } finally {
    await network.destroy();
  }
}

/** The reaper of a run that was broken off removes what that left; it stands in the namespace too. */
async function waitUntilLeft(namespace: string): Promise<void> {
  const deadline = performance.now() + REAPING_MAX_MS;
  while (performance.now() < deadline) {
    const { stdout } = await run("ip", ["netns", "pids", namespace]);
    if (stdout.trim() === "") return;
    await pause(100);
  }
}

/** @returns the exit code: 1 when something could not be measured that should have been */
async function measureAll(benches: readonly Bench[]): Promise<number> {
  const figures: Figure[] = [];
  const leftOut: LeftOut[] = [];
  const failures: string[] = [];
  let scene: Promise<Scene> | undefined;
  const progress = (text: string) => process.stderr.write(`${text}\n`);
  const context = {
    isQuick: args.includes("--quick"),
    progress,
    async scene() {
      if (!tunnels.ok) return undefined;
      scene ??= openScene();
      return scene;
    },
    report: (...measured: Figure[]) => void figures.push(...measured),
    leaveOut: (what: string) => void leftOut.push({ what, reason: tunnels.reason }),
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => process.exit(1)); // the reaper stops what was started
  }
  for (const bench of benches) {
    progress(`${bench.name} …`);
    try {
      await bench.measure(context);
    } catch (error) {
      failures.push(bench.name);
      progress(`${bench.name} could not be measured: ${error instanceof Error ? error.stack : error}`);
    }
  }
  await scene
    ?.then((opened) => opened.close())
    .catch((error: unknown) => progress(`closing failed: ${error}`));
  if (args.includes("--json")) {
    process.stdout.write(`${jsonOf(figures)}\n`);
    for (const { what, reason } of leftOut) progress(`not measured: ${what}: ${reason}`);
  } else {
    process.stdout.write(`${tableOf(figures, leftOut)}\n`);
  }
  if (failures.length > 0) progress(`Could not be measured: ${failures.join(", ")}`);
  return failures.length > 0 ? 1 : 0;
}
