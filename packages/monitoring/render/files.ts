import { stringify } from "yaml";
import { alertmanagerFile } from "./alertmanager.ts";
import { dashboardFiles } from "./dashboards.ts";
import { collectorFile, lokiFile } from "./logs.ts";
import { prometheusFile, rulesFile, rulesTestFile } from "./prometheus.ts";

const HEAD = "# Rendered from packages/monitoring; write it anew with: npm test -- packages/monitoring -u\n";

export function yamlOf(content: object): string {
  return HEAD + stringify(content, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Everything below deploy/monitoring that is rendered, by path. */
export function monitoringFiles(): ReadonlyMap<string, string> {
  return new Map([
    ["prometheus/prometheus.yml", yamlOf(prometheusFile())],
    ["prometheus/rules.yml", yamlOf(rulesFile())],
    ["prometheus/rules.test.yml", yamlOf(rulesTestFile())],
    ["alertmanager/alertmanager.yml", yamlOf(alertmanagerFile())],
    ["loki/loki.yml", yamlOf(lokiFile())],
    ["collector/collector.yml", yamlOf(collectorFile())],
    ...[...dashboardFiles()].map(
      ([name, content]) => [`grafana/${name}`, `${JSON.stringify(content, undefined, 2)}\n`] as const,
    ),
  ]);
}
