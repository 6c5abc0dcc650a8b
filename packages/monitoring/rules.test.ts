import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createHistory } from "./history.ts";
import { type AlertRule, anchorOf, EXAMPLE_MINUTES, type ExampleSeries, isWatched } from "./rule.ts";
import { alertRules } from "./rules/index.ts";

const MINUTE_MS = 60_000;
const watched = alertRules.filter(isWatched);

/** What the service's own watch makes of an example, as promtool's tests have Prometheus do. */
function judge(rule: AlertRule, series: readonly ExampleSeries[]): boolean {
  const history = createHistory([rule.when]);
  let heldMinutes = -1;
  for (let minute = 0; minute <= EXAMPLE_MINUTES + 1; minute++) {
    const samples = series.map(({ metric, labels = {}, from, step = 0 }) => ({
      name: metric,
      labels,
      value: from + step * minute,
    }));
    history.add(minute * MINUTE_MS, samples);
    heldMinutes = history.holds(rule.when) ? heldMinutes + 1 : -1;
  }
  return heldMinutes >= rule.forMinutes;
}

test.each(watched.map((rule) => [rule.name, rule] as const))(
  "%s fires inside under its example, and not under the one nearby",
  (_name, rule) => {
    expect(judge(rule, rule.fires)).toBe(true);
    expect(judge(rule, rule.quiet)).toBe(false);
  },
);

test("each alert has a name of its own, two examples, and a section of the runbook that says what to do", () => {
  const runbook = readFileSync(new URL("../../docs/runbooks/alerts.md", import.meta.url), "utf8");
  const sections = [...runbook.matchAll(/^## (.+)$/gm)].map(([, title = ""]) =>
    title.toLowerCase().replaceAll(" ", "-"),
  );
  expect(new Set(alertRules.map(({ name }) => name)).size).toBe(alertRules.length);
  expect(alertRules.filter(({ fires, quiet }) => fires.length === 0 || quiet.length === 0)).toEqual([]);
  expect(sections.toSorted()).toEqual(alertRules.map(anchorOf).toSorted());
});
