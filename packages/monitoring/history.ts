import { MINUTE_MS } from "@securewave/foundation";
import type { Condition, Labels, Quantity } from "./rule.ts";

/** One series at one moment. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** What a quantity needs of one moment: sums over series, under a name each. */
type Reading = ReadonlyMap<string, number>;

interface Snapshot {
  readonly atMs: number;
  readonly readings: ReadonlyMap<Quantity, Reading>;
}

/** A snapshot that is late by a little still counts as that of its minute. */
const SLACK_MS = 10_000;

/** What quantities were in the last minutes, and what conditions make of them, as Prometheus would. */
export interface History {
  /** Takes in the samples of one process, whose counters begin with it. */
  add(atMs: number, samples: readonly Sample[]): void;
  /** Undefined where nothing tells it. */
  valueOf(quantity: Quantity): number | undefined;
  holds(condition: Condition): boolean;
}

/** Keeps sums alone, so that its size does not grow with routes and labels. */
export function createHistory(conditions: readonly Condition[]): History {
  const quantities = conditions.flatMap(quantitiesIn);
  const minutes = Math.max(0, ...quantities.map(windowOf));
  let snapshots: Snapshot[] = [];

  function grownIn(quantity: Quantity): (name: string) => number {
    const newest = snapshots.at(-1);
    const since = (newest?.atMs ?? 0) - windowOf(quantity) * MINUTE_MS - SLACK_MS;
    const oldest = snapshots.find(({ atMs }) => atMs >= since);
    return (name) => {
      const [before = 0, now = 0] = [oldest, newest].map((each) => each?.readings.get(quantity)?.get(name));
      return now < before ? now : now - before;
    };
  }

  function read(quantity: Quantity): number | undefined {
    const reading = snapshots.at(-1)?.readings.get(quantity);
    if (reading === undefined) return undefined;
    const grown = grownIn(quantity);
    switch (quantity.kind) {
      case "scraped":
        return undefined;
      case "now":
        return reading.get("value");
      case "share":
        return (reading.get("part") ?? Number.NaN) / (reading.get("of") ?? Number.NaN);
      case "growth":
        return grown("part");
      case "ratio":
        return grown("part") / grown("of");
      case "mean":
        return grown("part") / grown("of");
      case "quantile":
        return quantileOf(
          [...reading.keys()].map((bound) => [boundOf(bound), grown(bound)]),
          quantity.quantile,
        );
    }
  }
  function readValue(quantity: Quantity): number | undefined {
    const value = read(quantity);
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }
  function holds({ quantity, above, below, and }: Condition): boolean {
    const value = readValue(quantity);
    if (value === undefined) return false;
    const isBeyond = above === undefined ? value < Number(below) : value > above;
    return isBeyond && (and === undefined || holds(and));
  }

  return {
    add(atMs, samples) {
      const byName = Map.groupBy(samples, ({ name }) => name);
      const of = (name: string, where?: Labels) =>
        (byName.get(name) ?? []).filter((sample) => matches(sample, where));
      const isSetBack = (snapshots.at(-1)?.atMs ?? 0) > atMs;
      snapshots = isSetBack
        ? []
        : snapshots.filter((snapshot) => snapshot.atMs >= atMs - minutes * MINUTE_MS - SLACK_MS);
      snapshots.push({ atMs, readings: new Map(quantities.map((each) => [each, readingOf(each, of)])) });
    },
    valueOf: readValue,
    holds,
  };
}

function quantitiesIn({ quantity, and }: Condition): Quantity[] {
  return and === undefined ? [quantity] : [quantity, ...quantitiesIn(and)];
}

function windowOf(quantity: Quantity): number {
  return "minutes" in quantity ? quantity.minutes : 0;
}

function readingOf(quantity: Quantity, of: (name: string, where?: Labels) => Sample[]): Reading {
  const sum = (samples: readonly Sample[]) => samples.reduce((total, { value }) => total + value, 0);
  switch (quantity.kind) {
    case "scraped":
      return new Map();
    case "now": {
      const values = of(quantity.metric, quantity.where).flatMap(({ value }) =>
        Number.isNaN(value) ? [] : value,
      );
      return new Map(values.length === 0 ? [] : [["value", Math.max(...values)]]);
    }
    case "share": {
      const [part, whole] = [of(quantity.part)[0], of(quantity.of)[0]];
      return new Map(
        part && whole
          ? [
              ["part", part.value],
              ["of", whole.value],
            ]
          : [],
      );
    }
    case "growth":
      return new Map([["part", sum(of(quantity.metric, quantity.where))]]);
    case "ratio":
      return new Map([
        ["part", sum(of(quantity.metric, quantity.where))],
        ["of", sum(of(quantity.metric))],
      ]);
    case "mean":
      return new Map([
        ["part", sum(of(`${quantity.histogram}_sum`))],
        ["of", sum(of(`${quantity.histogram}_count`))],
      ]);
    case "quantile": {
      const buckets = Map.groupBy(of(`${quantity.histogram}_bucket`), ({ labels }) => String(labels.le));
      return new Map([...buckets].map(([bound, samples]) => [bound, sum(samples)]));
    }
  }
}

function matches({ labels }: Sample, where: Labels = {}): boolean {
  return Object.entries(where).every(([label, wanted]) => {
    const value = String(labels[label] ?? "");
    return wanted instanceof RegExp ? new RegExp(`^(?:${wanted.source})$`).test(value) : value === wanted;
  });
}

const boundOf = (text: string) => (text === "+Inf" ? Number.POSITIVE_INFINITY : Number(text));

/** Linear within its bucket. @see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile */
function quantileOf(
  buckets: readonly [bound: number, count: number][],
  quantile: number,
): number | undefined {
  const sorted = buckets.toSorted(([a], [b]) => a - b);
  const total = sorted.at(-1)?.[1] ?? 0;
  if (total === 0) return undefined;
  const rank = quantile * total;
  const at = sorted.findIndex(([, count]) => count >= rank);
  const [bound = 0, count = 0] = sorted[at] ?? [];
  const [lower = 0, below = 0] = sorted[at - 1] ?? [];
  if (bound === Number.POSITIVE_INFINITY) return lower;
  return lower + (bound - lower) * ((rank - below) / (count - below));
}
