/** Which series of a metric count: those whose labels have these values; `/^5/` matches as a pattern from end to end. */
export type Labels = Readonly<Record<string, string | RegExp>>;

/** What is measured. One form for Prometheus, which gets it as PromQL, and for the service's own watch. */
export type Quantity =
  /** A gauge as it is; of several replicas or labels, the highest. */
  | { readonly kind: "now"; readonly metric: string; readonly where?: Labels }
  /** One gauge's share of another of the same process. */
  | { readonly kind: "share"; readonly part: string; readonly of: string }
  /** How much a counter grew within so many minutes, over all its series. */
  | { readonly kind: "growth"; readonly metric: string; readonly where?: Labels; readonly minutes: number }
  | {
      readonly kind: "ratio";
      readonly metric: string;
      readonly where: Labels;
      /** Of all that grew within so many minutes. */
      readonly minutes: number;
    }
  | { readonly kind: "mean"; readonly histogram: string; readonly minutes: number }
  | {
      readonly kind: "quantile";
      readonly histogram: string;
      readonly quantile: number;
      readonly minutes: number;
    }
  /** Whether Prometheus reaches the service; only Prometheus can tell. */
  | { readonly kind: "scraped" };

export interface Condition {
  readonly quantity: Quantity;
  readonly above?: number;
  readonly below?: number;
  /** Both must hold: a share of errors says nothing while there are three requests. */
  readonly and?: Condition;
}

/** A metric as it is in an example: from `from` on it grows by `step` a minute. */
export interface ExampleSeries {
  readonly metric: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly from: number;
  readonly step?: number;
}

export type Severity = "critical" | "warning";

export interface AlertRule {
  /** In the form that Prometheus's own alerts have: `DatabaseDown`. */
  readonly name: string;
  readonly group: string;
  readonly severity: Severity;
  readonly when: Condition;
  /** How long the condition must hold before anybody is called. */
  readonly forMinutes: number;
  /** A sentence without a full stop, about what is. */
  readonly summary: string;
  /** A sentence that says what to do first. */
  readonly advice: string;
  /** Under which it fires. */
  readonly fires: readonly ExampleSeries[];
  /** Near to that, under which it does not. */
  readonly quiet: readonly ExampleSeries[];
}

/** How long an example goes on, in minutes; of a window that is longer, what there is of it counts. */
export const EXAMPLE_MINUTES = 20;

/** Where the runbook has its section: `database-down` for `DatabaseDown`. */
export function anchorOf({ name }: Pick<AlertRule, "name">): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "-").toLowerCase();
}

/** Whether the service can judge it by itself. */
export function isWatched({ when }: AlertRule): boolean {
  return when.quantity.kind !== "scraped";
}

/** The metrics that a condition reads, without the endings of a histogram's parts. */
export function metricsOf({ quantity, and }: Condition): string[] {
  const rest = and ? metricsOf(and) : [];
  switch (quantity.kind) {
    case "scraped":
      return rest;
    case "share":
      return [quantity.part, quantity.of, ...rest];
    case "mean":
    case "quantile":
      return [quantity.histogram, ...rest];
    default:
      return [quantity.metric, ...rest];
  }
}
