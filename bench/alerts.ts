import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { alertRules } from "@securewave/monitoring";
import { rulesFile, rulesTestFile } from "@securewave/monitoring/render/prometheus";
import type { AlertRule, Condition } from "@securewave/monitoring/rule";
import { hasTool } from "@securewave/testing/requirements";
import { temporaryDir } from "@securewave/testing/temporary";
import type { Bench } from "./figure.ts";

const NEVER: Condition = { quantity: { kind: "now", metric: "securewave_no_such_metric" }, above: 0 };
const ALWAYS: Condition = { quantity: { kind: "scraped" }, above: -1 };

/** Alerts whose unit tests do not notice when they never fire, or always do. */
export const alerts: Bench = {
  name: "alerts",
  async measure({ report, leaveOut, progress }) {
    if (!hasTool("promtool")) return leaveOut("alerts.without_test: promtool is not installed");
    progress("spoils each alert, and sees whether its tests notice");
    const dir = temporaryDir("alerts");
    const without = alertRules.filter((rule) => {
      const never = passes(dir.path, rule, { ...rule, when: NEVER });
      const always = passes(dir.path, rule, { ...rule, when: ALWAYS, forMinutes: 0 });
      return never || always || !passes(dir.path, rule, rule);
    });
    dir.remove();
    report({
      id: "alerts.without_test",
      value: without.length,
      unit: "alerts",
      limit: alertRules.length,
      goal: "=0",
      note: "alerts whose unit tests miss that they never fire, or always do; the limit is all that there are",
    });
  },
};

/** Whether the tests of a rule pass on another one in its place. */
function passes(dir: string, rule: AlertRule, other: AlertRule): boolean {
  writeFileSync(join(dir, "rules.yml"), JSON.stringify(rulesFile([other])));
  writeFileSync(join(dir, "rules.test.yml"), JSON.stringify(rulesTestFile([rule])));
  return spawnSync("promtool", ["test", "rules", "rules.test.yml"], { cwd: dir }).status === 0;
}
