import type { AlertRule } from "../rule.ts";

type Facts = Omit<AlertRule, "when" | "fires" | "quiet" | "group"> & {
  readonly metric: string;
  readonly where?: Readonly<Record<string, string>>;
  readonly above?: number;
  readonly below?: number;
  /** What it is when nothing is wrong but nearly so; by default the bound itself, at which nothing fires yet. */
  readonly nearly?: number;
};

/** A rule about one gauge and one bound, with its two examples. */
export function gaugeRule(
  group: string,
  { metric, where, above, below, nearly, ...facts }: Facts,
): AlertRule {
  const bound = above ?? below ?? 0;
  const beyond = above === undefined ? bound - 0.01 : bound + 0.01;
  const labels = where === undefined ? {} : { labels: where };
  return {
    ...facts,
    group,
    when: {
      quantity: { kind: "now", metric, ...(where === undefined ? {} : { where }) },
      ...(above === undefined ? { below: bound } : { above: bound }),
    },
    fires: [{ metric, ...labels, from: beyond }],
    quiet: [{ metric, ...labels, from: nearly ?? bound }],
  };
}
