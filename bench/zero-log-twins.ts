import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run, temporaryDir } from "@securewave/testing";
import type { BenchRun } from "./figure.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TEST_FILE = "apps/control-plane/twins/twins.e2e.test.ts";
const TEST = "write the same write-ahead log";
const TIMEOUT_MS = 600_000;

/** What vitest's reporter `json` writes, as far as it matters here. */
interface Outcome {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly meta: { readonly twins?: { readonly difference: number; readonly records: number } };
    }[];
  }[];
}

/** The test of the twins itself, since it needs the tests' made-up randomness. Needs Debian's PostgreSQL. */
export async function measureTwins({ progress, report }: BenchRun): Promise<void> {
  progress("  two instances, one with a thousand sessions and one with none");
  using dir = temporaryDir("bench-twins");
  const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
  const output = join(dir.path, "twins.json");
  const how = ["--project", "e2e", "--reporter=json", `--outputFile=${output}`, "--testNamePattern", TEST];
  const ended = await run(process.execPath, [vitest, "run", TEST_FILE, ...how], {
    cwd: ROOT,
    timeoutMs: TIMEOUT_MS,
  });
  const twins = await readOutcome(output);
  if (twins === undefined) throw new Error(`the twins did not live: ${ended.stderr.slice(-500)}`);
  report({
    id: "zerolog.twin_difference",
    value: twins.difference,
    unit: "records",
    limit: twins.records,
    goal: "=0",
    note: "of the write-ahead log that a thousand sessions add to 28 hours without any; limit: all records of these",
  });
}

async function readOutcome(path: string) {
  const outcome: Outcome = JSON.parse(await readFile(path, "utf8"));
  const results = outcome.testResults.flatMap(({ assertionResults }) => assertionResults);
  return results.find(({ meta }) => meta.twins !== undefined)?.meta.twins;
}
