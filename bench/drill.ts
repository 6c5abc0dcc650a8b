import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type DrillReport, SCENARIOS, type Scenario } from "@securewave/contracts";
import type { Bench, BenchRun } from "./figure.ts";

const PROGRAM = fileURLToPath(new URL("../apps/drills/main.ts", import.meta.url));
const QUICK: readonly Scenario[] = ["node-loss", "redis-loss", "breach"];

/** Each drill on processes of its own: how long it took, and how much was lost, beside its targets. */
export const drill: Bench = {
  name: "drill",
  async measure(run) {
    for (const scenario of SCENARIOS) {
      if (run.isQuick && !QUICK.includes(scenario)) continue;
      run.progress(`  ${scenario}`);
      const report = await carryOut(scenario);
      if (report === undefined || report.outcome === "failed")
        run.leaveOut(`drill.${scenario}.* (${report?.timeline.at(-1)?.what ?? "it gave no report"})`);
      else tell(run, report);
    }
  },
};

async function carryOut(scenario: Scenario): Promise<DrillReport | undefined> {
  const child = spawn(process.execPath, [PROGRAM, scenario], { stdio: ["ignore", "pipe", "ignore"] });
  let report: DrillReport | undefined;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = JSON.parse(line);
    if (event.kind === "report") report = event.report;
  });
  await once(child, "close");
  return report;
}

function tell(run: BenchRun, { scenario, rto_seconds, rpo_seconds, target, writes }: DrillReport): void {
  const note = `${target.name}: ${writes.acknowledged} writes acknowledged, ${writes.lost} lost`;
  run.report(
    {
      id: `drill.${scenario}.rto_s`,
      value: rto_seconds,
      unit: "s",
      limit: target.rto_seconds,
      goal: target.rto_seconds === null ? null : `<=${target.rto_seconds}`,
      note,
    },
    {
      id: `drill.${scenario}.rpo_s`,
      value: rpo_seconds,
      unit: "s",
      limit: target.rpo_seconds,
      goal: target.rpo_seconds === null ? null : `<=${target.rpo_seconds}`,
      note,
    },
  );
}
