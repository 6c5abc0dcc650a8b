import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { invariant } from "@securewave/foundation";
import { requirements } from "@securewave/testing/requirements";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, describe, expect, test } from "vitest";
import type { AlertRule } from "../rule.ts";
import { alertRules } from "../rules/index.ts";
import { dashboardQueries } from "./dashboards.ts";
import { monitoringFiles, yamlOf } from "./files.ts";
import { rulesFile, rulesTestFile } from "./prometheus.ts";

const files = monitoringFiles();

test.each([...files])(
  "deploy/monitoring/%s is current (update with: npm test -- packages/monitoring -u)",
  async (path, content) => {
    await expect(content).toMatchFileSnapshot(`../../../deploy/monitoring/${path}`);
  },
);

const needs = requirements({ tools: ["promtool", "amtool"] });

describe.skipIf(!needs.ok)(needs.title("what is rendered"), () => {
  const dir = temporaryDir("monitoring");
  afterAll(() => dir.remove());
  for (const [path, content] of files) {
    mkdirSync(dirname(join(dir.path, path)), { recursive: true });
    writeFileSync(join(dir.path, path), content);
  }
  const run = (program: string, args: readonly string[], input?: string) => {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: dir.path, encoding: "utf8", input });
    return { status, stdout, output: stdout + stderr };
  };

  test("is what Prometheus takes, with every alert in it", () => {
    const checked = run("promtool", ["check", "config", "prometheus/prometheus.yml"]);
    expect(checked).toMatchObject({
      status: 0,
      output: expect.stringContaining(`${alertRules.length} rules found`),
    });
  });

  test("fires each alert under its example, and not under the one nearby", () => {
    expect(run("promtool", ["test", "rules", "prometheus/rules.test.yml"])).toMatchObject({
      status: 0,
      output: expect.stringContaining("SUCCESS"),
    });
  });

  test("has tests that notice a bound that was moved", () => {
    const rule = alertRules.find(({ name }) => name === "RedisDown");
    invariant(rule !== undefined, "there is an alert about Redis");
    mkdirSync(join(dir.path, "moved"));
    writeFileSync(join(dir.path, "moved/rules.test.yml"), yamlOf(rulesTestFile([rule])));
    const passes = (when: AlertRule["when"]) => {
      writeFileSync(join(dir.path, "moved/rules.yml"), yamlOf(rulesFile([{ ...rule, when }])));
      return run("promtool", ["test", "rules", "moved/rules.test.yml"]).status === 0;
    };
    expect([
      passes(rule.when),
      passes({ ...rule.when, above: 1 }),
      passes({ ...rule.when, above: -1 }),
    ]).toEqual([true, false, false]);
  });

  test("leads each alert to its people", () => {
    const config = "alertmanager/alertmanager.yml";
    expect(run("amtool", ["check-config", config])).toMatchObject({ status: 0 });
    const route = (...labels: string[]) =>
      run("amtool", ["config", "routes", "test", `--config.file=${config}`, ...labels]).stdout.trim();
    for (const { name, group, severity } of alertRules) {
      const receiver = severity === "critical" ? "on-call" : "operators";
      expect(route(`alertname=${name}`, `area=${group}`, `severity=${severity}`)).toBe(receiver);
    }
    expect(route("alertname=Unknown")).toBe("operators");
  });

  test("asks nothing on its dashboards that Prometheus cannot answer", () => {
    const groups = dashboardQueries().map((query, index) => ({
      record: `dashboard:query_${index}`,
      expr: query.replaceAll("$__rate_interval", "1m"),
    }));
    writeFileSync(
      join(dir.path, "dashboards.yml"),
      JSON.stringify({ groups: [{ name: "dashboards", rules: groups }] }),
    );
    expect(run("promtool", ["check", "rules", "dashboards.yml"])).toMatchObject({ status: 0 });
  });
});
