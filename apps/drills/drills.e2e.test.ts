import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { DrillReport, Scenario } from "@securewave/contracts";
import { eventually, run } from "@securewave/testing";
import { requirements } from "@securewave/testing/requirements";
import { describe, expect, test } from "vitest";
import type { DrillEvent } from "./drill.ts";

const PROGRAM = fileURLToPath(new URL("main.ts", import.meta.url));
const LONG_MS = 120_000;
const needs = requirements({ tools: ["redis-server"] });

const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith("securewave-drill-"));

async function carryOut(scenario: Scenario): Promise<DrillReport> {
  const child = spawn(process.execPath, [PROGRAM, scenario], { stdio: ["ignore", "pipe", "inherit"] });
  const events: DrillEvent[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => events.push(JSON.parse(line)));
  await once(child, "close");
  const last = events.at(-1);
  if (last?.kind !== "report") throw new Error(`no report came: ${JSON.stringify(last)}`);
  return last.report;
}

function expectMet(report: DrillReport): void {
  expect({ outcome: report.outcome, unmet: report.checks.filter(({ is_met }) => !is_met) }).toEqual({
    outcome: "met",
    unmet: [],
  });
  expect(report.rto_seconds).toBeGreaterThan(0);
}

test(
  "a lost VPN server: another one serves its devices",
  async () => {
    const before = leftovers();
    const report = await carryOut("node-loss");
    expectMet(report);
    expect(report.writes.lost).toBe(0);
    expect(leftovers()).toEqual(before);
  },
  LONG_MS,
);

test.each(["SIGTERM", "SIGHUP"] as const)(
  "a drill that %s breaks off takes away what it started",
  async (signal) => {
    const before = leftovers();
    const child = spawn(process.execPath, [PROGRAM, "node-loss"], { stdio: ["ignore", "ignore", "inherit"] });
    const dir = await eventually(() => {
      const own = leftovers().find((name) => !before.includes(name)) ?? "";
      readdirSync(join(tmpdir(), own, "service", "data", "store", "pgdata")); // its database is being made
      return own;
    });
    child.kill(signal);
    await once(child, "close");
    expect(leftovers()).toEqual(before);
    expect((await run("ps", ["-e", "-o", "args="])).stdout).not.toContain(dir);
  },
  LONG_MS,
);

test(
  "a breach: every former credential is tried and refused, and all goes on",
  async () => {
    const report = await carryOut("breach");
    expectMet(report);
    expect(report.checks.filter(({ what }) => what.includes("is refused")).length).toBeGreaterThanOrEqual(6);
  },
  LONG_MS,
);

describe.skipIf(!needs.ok)(`a lost Redis ${needs.ok ? "" : `(${needs.reason})`}`, () => {
  test(
    "costs no write, and limits hold without it",
    async () => {
      const report = await carryOut("redis-loss");
      expectMet(report);
      expect(report.writes.lost).toBe(0);
    },
    LONG_MS,
  );
});
