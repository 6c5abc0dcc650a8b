import { type DrillReport, SCENARIOS, type Scenario } from "@securewave/contracts";
import { expect, test } from "vitest";
import { CliError } from "../failure.ts";
import { useService } from "../testing/service.ts";

const service = useService();
const kept = () => service.api().state.drills.drills;

const reportOf = (scenario: Scenario, facts: Partial<DrillReport> = {}): DrillReport => ({
  scenario,
  outcome: "met",
  version: "0.1.0",
  target: { name: "VPN servers", rto_seconds: 14_400, rpo_seconds: 86_400 },
  rto_seconds: 12.34,
  rpo_seconds: 0,
  writes: { acknowledged: 3, lost: 0 },
  timeline: [{ at_seconds: 0.1, what: "a service and a customer" }],
  checks: [{ what: "no device was lost", is_met: true }],
  ...facts,
});

test("a drill is told of step by step, held against its targets, and kept by the service", async () => {
  const ran = await service.run("drill node-loss", {
    async runDrill(scenario, onStep) {
      onStep(1.25, "the server's machine is gone");
      return reportOf(scenario);
    },
  });
  expect(ran.code).toBe(0);
  expect(ran.stderr).toBe(
    "node-loss:\n    1.3 s  the server's machine is gone\nThe service keeps it as report 4.\n",
  );
  expect(ran.stdout).toMatch(/node-loss +met +12\.3 s +4 h +0\.0 s +24 h +3 +0/);
  expect(kept()[0]?.report).toEqual(reportOf("node-loss"));
  expect((await service.run("drills list")).stdout).toMatch(/4 +2026-11-14 +node-loss +met +12\.3 s/);
});

test("one that is not as it should be ends with 1 and says what is not so; all others are carried out", async () => {
  const failed: Partial<DrillReport> = {
    outcome: "failed",
    checks: [{ what: "limits hold", is_met: false }],
  };
  const ran = await service.run("drill all --no-record", {
    runDrill: async (scenario) => reportOf(scenario, scenario === "redis-loss" ? failed : {}),
  });
  expect(ran).toMatchObject({ code: 1, stdout: expect.stringContaining("redis-loss: not so: limits hold") });
  for (const scenario of SCENARIOS) expect(ran.stdout).toContain(scenario);
  expect(kept()).toHaveLength(3);
});

test("who is not logged in carries it out all the same, and is told that it is kept nowhere", async () => {
  await service.run("logout");
  const ran = await service.run("drill breach --json", { runDrill: async (scenario) => reportOf(scenario) });
  expect(ran.code).toBe(0);
  expect(ran.json()).toMatchObject({ scenario: "breach", outcome: "met" });
  expect(kept()).toHaveLength(3);
});

test("a drill that gives no report is a failure, and an unknown one wrong usage", async () => {
  const runDrill = () => Promise.reject(new CliError("cli.drill_ended", "The drill ended without a report."));
  expect(await service.run("drill breach", { runDrill })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("cli.drill_ended"),
  });
  expect((await service.run("drill earthquake")).code).toBe(2);
});

test("one report is shown from its beginning to its end", async () => {
  const [newest] = kept();
  const { stdout } = await service.run(`drills show ${newest?.id}`);
  expect(stdout).toContain("Report 3 of 2026-11-13");
  expect(stdout).toContain("31.9 s  the service answers, and writes are acknowledged");
  expect((await service.run("drills list --scenario node-loss --json")).json()).toMatchObject({
    items: [{ outcome: "missed" }],
  });
});
