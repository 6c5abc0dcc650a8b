import type { Catalogue } from "../catalogue.ts";
import type { Finding } from "../finding.ts";
import { labelForms } from "../rooms/metrics.ts";

export interface Sample {
  /** Of the metric, without `_bucket`, `_sum` and `_count`. */
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const MEND = "List it in packages/privacy/rooms/metrics.ts, or do not tell it.";

/** Reads Prometheus's text format. */
export function readSamples(text: string): Sample[] {
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
  return [...text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/gm)].map(
    ([, full = "", labels = "", value]) => {
      const base = full.replace(/_(bucket|sum|count)$/, "");
      return { name: types.has(full) ? full : base, labels: readLabels(labels), value: Number(value) };
    },
  );
}

function readLabels(text: string): Map<string, string> {
  const pairs = text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g);
  return new Map([...pairs].map(([, name = "", value = ""]) => [name, value]));
}

type IsFloor = (value: number) => boolean;

/**
 * Holds what a process tells of itself against the catalogue: names, labels, their values, and how people are counted.
 *
 * @param isFloor whether a number is the lower end of a range
 */
export function findInMetrics(samples: readonly Sample[], catalogue: Catalogue, isFloor: IsFloor): Finding[] {
  const findings = samples.flatMap((sample) => findInSample(sample, catalogue, isFloor));
  return [...new Map(findings.map((finding) => [`${finding.rule} ${finding.place}`, finding])).values()];
}

/** Prometheus's own, of histograms and summaries. */
const OWN_LABELS = new Set(["le", "quantile"]);

function findInSample({ name, labels, value }: Sample, catalogue: Catalogue, isFloor: IsFloor): Finding[] {
  const group = catalogue.find("metric", name);
  if (group === undefined)
    return [
      {
        rule: "listed: metric",
        place: name,
        problem: "is a metric that the catalogue does not list",
        mend: MEND,
      },
    ];
  const findings: Finding[] = [];
  const add = (rule: string, place: string, problem: string, mend: string) =>
    findings.push({ rule, place, problem, mend });
  if (group.fields.value?.precision === "range" && !isFloor(value))
    add(
      "ranges",
      name,
      "is an exact count of what is listed as a range",
      "Give it `floorOf` of packages/live.",
    );
  for (const [label, text] of labels) {
    if (OWN_LABELS.has(label)) continue;
    const field = group.fields[label];
    const place = `${name}{${label}}`;
    if (field === undefined)
      add("listed: metric", place, "is a label that the catalogue does not list", MEND);
    else if (field.values?.length ? !field.values.includes(text) : labelForms[label]?.test(text) === false)
      add("closed lists", place, "has a value that is on no list", "Take it through `labelOf`.");
  }
  return findings;
}
