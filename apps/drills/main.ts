/**
 * Carries out one drill: on a service of its own below a temporary folder, never on the one that serves customers. What
 * goes on it says on standard output, one `DrillEvent` a line. Argument: the scenario.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SCENARIOS } from "@securewave/contracts";
import { whenAskedToEnd } from "@securewave/foundation/ending";
import { type DrillEvent, type Measured, record } from "./drill.ts";
import { RUNS } from "./scenarios/index.ts";
import { AGENT_VERSION } from "./version.ts";

await main(process.argv[2] ?? "");

async function main(name: string): Promise<void> {
  const scenario = SCENARIOS.find((known) => known === name);
  if (!scenario) {
    process.stderr.write(`There is no drill of that name. There are: ${Object.keys(RUNS).join(", ")}\n`);
    process.exit(2);
  }
  const closing = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), "securewave-drill-"));
  closing.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  const { drill, report } = record(scenario, AGENT_VERSION, dir, closing, emit);

  let ending: Promise<void> | undefined;
  const end = () => {
    ending ??= closing.disposeAsync();
    return ending;
  };
  whenAskedToEnd(() => {
    if (ending === undefined) drill.step("it is broken off: what it started is taken away");
    void end().finally(() => process.exit(1));
  });

  let measured: Measured | undefined;
  try {
    measured = await RUNS[scenario](drill);
  } catch (error) {
    if (ending === undefined) drill.step(`it failed: ${reasonOf(error)}`);
  }
  await end().catch((error: unknown) => process.stderr.write(`${reasonOf(error)}\n`));
  const made = report(measured);
  emit({ kind: "report", report: made });
  process.exitCode = made.outcome === "met" ? 0 : 1;
}

function emit(event: DrillEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
