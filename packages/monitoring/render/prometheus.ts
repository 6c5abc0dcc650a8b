import { promqlOf } from "../promql.ts";
import { type AlertRule, anchorOf, EXAMPLE_MINUTES, type ExampleSeries } from "../rule.ts";
import { alertRules } from "../rules/index.ts";

const RUNBOOK = "docs/runbooks/alerts.md";

/** The rules in Prometheus's form. */
export function rulesFile(alerts: readonly AlertRule[] = alertRules): object {
  const groups = Map.groupBy(alerts, ({ group }) => group);
  return {
    groups: [...groups].map(([name, rules]) => ({
      name: `securewave-${name}`,
      rules: rules.map((rule) => ({
        alert: rule.name,
        expr: promqlOf(rule.when),
        ...(rule.forMinutes > 0 && { for: `${rule.forMinutes}m` }),
        labels: labelsOf(rule),
        annotations: annotationsOf(rule),
      })),
    })),
  };
}

/** promtool's unit tests: each rule fires under its example, and does not under the one nearby. */
export function rulesTestFile(alerts: readonly AlertRule[] = alertRules): object {
  return {
    rule_files: ["rules.yml"],
    evaluation_interval: "1m",
    tests: alerts.flatMap((rule) => [
      testOf(rule, `${rule.name} fires`, rule.fires, [
        { exp_labels: labelsOf(rule), exp_annotations: annotationsOf(rule) },
      ]),
      testOf(rule, `${rule.name} stays quiet`, rule.quiet, []),
    ]),
  };
}

function testOf(
  rule: AlertRule,
  name: string,
  series: readonly ExampleSeries[],
  expected: readonly object[],
) {
  return {
    name,
    interval: "1m",
    input_series: series.map(({ metric, labels = {}, from, step = 0 }) => ({
      series: `${metric}{${Object.entries(labels)
        .map(([label, value]) => `${label}="${value}"`)
        .join(",")}}`,
      values: `${from}+${step}x${EXAMPLE_MINUTES + 5}`,
    })),
    alert_rule_test: [{ eval_time: `${EXAMPLE_MINUTES + 1}m`, alertname: rule.name, exp_alerts: expected }],
  };
}

function labelsOf({ severity, group }: AlertRule) {
  return { severity, area: group, service: "securewave" };
}

function annotationsOf(rule: AlertRule) {
  return {
    summary: `${rule.summary}.`,
    description: rule.advice,
    runbook: `${RUNBOOK}#${anchorOf(rule)}`,
  };
}

export interface PrometheusOptions {
  /** Where the service tells its metrics: `METRICS_HOST` and `METRICS_PORT` of each replica. */
  readonly targets: readonly string[];
  readonly alertmanagers: readonly string[];
  readonly rulesPath: string;
  readonly scrapeSeconds: number;
}

export const PROMETHEUS_DEFAULTS: PrometheusOptions = {
  targets: ["127.0.0.1:9100"],
  alertmanagers: ["127.0.0.1:9093"],
  rulesPath: "rules.yml",
  scrapeSeconds: 15,
};

export function prometheusFile(options: PrometheusOptions = PROMETHEUS_DEFAULTS): object {
  const { targets, alertmanagers, rulesPath, scrapeSeconds } = options;
  return {
    global: { scrape_interval: `${scrapeSeconds}s`, evaluation_interval: `${scrapeSeconds}s` },
    rule_files: [rulesPath],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [...alertmanagers] }] }] },
    scrape_configs: [{ job_name: "securewave", static_configs: [{ targets: [...targets] }] }],
  };
}
