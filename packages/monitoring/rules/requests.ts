import type { AlertRule, ExampleSeries } from "../rule.ts";
import { gaugeRule } from "./gauge-rule.ts";

const REQUESTS = "sentinel_requests_total";
const DURATIONS = "sentinel_request_duration_seconds";
const QUERIES = "sentinel_db_query_duration_seconds";
/** A window that one slow minute does not fill. */
const MINUTES = 5;
const HOUR_MINUTES = 60;
/** Slow statements are few by nature, so they are counted for longer. */
const STATEMENT_MINUTES = 10;
const SLOW_STATEMENTS = "securewave_database_slow_statements";
/** Fewer tell nothing of a rate. */
const ENOUGH = { quantity: { kind: "growth", metric: REQUESTS, minutes: MINUTES }, above: 50 } as const;

const requests = (status: string, perMinute: number): ExampleSeries => ({
  metric: REQUESTS,
  labels: { method: "GET", endpoint: "/api/health", status },
  from: 0,
  step: perMinute,
});

/** So many a minute, all between the two bounds of one bucket. */
function timed(
  histogram: string,
  labels: Readonly<Record<string, string>>,
  bounds: readonly string[],
  slowFrom: string,
  seconds: number,
  perMinute = 100,
): ExampleSeries[] {
  const at = bounds.indexOf(slowFrom);
  return [
    ...bounds.map((le, index) => ({
      metric: `${histogram}_bucket`,
      labels: { ...labels, le },
      from: 0,
      step: index > at ? perMinute : 0,
    })),
    { metric: `${histogram}_bucket`, labels: { ...labels, le: "+Inf" }, from: 0, step: perMinute },
    { metric: `${histogram}_sum`, labels, from: 0, step: perMinute * seconds },
    { metric: `${histogram}_count`, labels, from: 0, step: perMinute },
  ];
}
const BOUNDS = ["0.001", "0.005", "0.01", "0.05", "0.1", "0.5", "1", "2", "5"];
const answered = (slowFrom: string, seconds: number) => [
  ...timed(DURATIONS, { method: "GET", endpoint: "/api/health" }, BOUNDS, slowFrom, seconds),
  requests("200", 100),
];

/** How well requests are answered. */
export const requestRules: readonly AlertRule[] = [
  {
    name: "ErrorRateHigh",
    group: "requests",
    severity: "critical",
    when: {
      quantity: { kind: "ratio", metric: REQUESTS, where: { status: /5../ }, minutes: MINUTES },
      above: 0.01,
      and: ENOUGH,
    },
    forMinutes: 5,
    summary: "More than one in a hundred requests fails",
    advice: "Look in the log for request_failed and its route; think of what was changed last.",
    fires: [requests("200", 97), requests("500", 3)],
    quiet: [requests("200", 995), requests("500", 5)],
  },
  {
    name: "ErrorBudgetBurning",
    group: "requests",
    severity: "warning",
    when: {
      quantity: { kind: "ratio", metric: REQUESTS, where: { status: /5../ }, minutes: HOUR_MINUTES },
      above: 0.006,
      and: { quantity: { kind: "growth", metric: REQUESTS, minutes: HOUR_MINUTES }, above: 500 },
    },
    forMinutes: 5,
    summary:
      "Six in a thousand requests of the last hour failed: at this pace a month's budget lasts five days",
    advice: "Look in the log for request_failed and its route, before it is enough for ErrorRateHigh.",
    fires: [requests("200", 992), requests("500", 8)],
    quiet: [requests("200", 995), requests("500", 5)],
  },
  {
    name: "ResponseTimeHigh",
    group: "requests",
    severity: "warning",
    when: { quantity: { kind: "mean", histogram: DURATIONS, minutes: MINUTES }, above: 0.5, and: ENOUGH },
    forMinutes: 5,
    summary: "Requests take more than 500 ms in the mean",
    advice: "See on the dashboard which routes are slow, and whether the database or the processor is.",
    fires: answered("0.5", 0.7),
    quiet: answered("0.1", 0.3),
  },
  {
    name: "ResponseTimeTailHigh",
    group: "requests",
    severity: "warning",
    when: {
      quantity: { kind: "quantile", histogram: DURATIONS, quantile: 0.95, minutes: MINUTES },
      above: 1,
      and: ENOUGH,
    },
    forMinutes: 5,
    summary: "One in twenty requests takes more than a second",
    advice: "See on the dashboard which routes are slow, and whether the database or the processor is.",
    fires: answered("1", 1.5),
    quiet: answered("0.5", 0.8),
  },
  {
    name: "QueriesSlow",
    group: "database",
    severity: "warning",
    when: { quantity: { kind: "mean", histogram: QUERIES, minutes: MINUTES }, above: 0.2 },
    forMinutes: 5,
    summary: "Queries of the database take more than 200 ms in the mean",
    advice: "Look for long transactions and missing room in the database's memory.",
    fires: timed(QUERIES, { operation: "select", table: "accounts" }, ["0.1", "0.5", "1"], "0.1", 0.4),
    quiet: timed(QUERIES, { operation: "select", table: "accounts" }, ["0.1", "0.5", "1"], "0.1", 0.15),
  },
  {
    name: "StatementsSlow",
    group: "database",
    severity: "warning",
    when: { quantity: { kind: "growth", metric: SLOW_STATEMENTS, minutes: STATEMENT_MINUTES }, above: 50 },
    forMinutes: 5,
    summary: "More than 50 statements in ten minutes took longer than DATABASE_SLOW_MS",
    advice: "`securewave database slow` shows which they are, without their values.",
    fires: [{ metric: SLOW_STATEMENTS, from: 0, step: 6 }],
    quiet: [{ metric: SLOW_STATEMENTS, from: 0, step: 4 }],
  },
  gaugeRule("requests", {
    name: "AvailabilityLow",
    severity: "critical",
    metric: "securewave_sla_availability",
    below: 0.995,
    forMinutes: 5,
    summary: "The API was available for less than 99.5 % of this month's measured minutes",
    advice:
      "`securewave sla` shows when it was not; tell customers on the status page what is done about it.",
  }),
  gaugeRule("requests", {
    name: "ErrorBudgetShort",
    severity: "warning",
    metric: "securewave_sla_budget_left",
    below: 0.25,
    forMinutes: 5,
    summary: "Less than a quarter of this month's error budget is left",
    advice: "Put off what risks more of it, releases above all, until the month is over.",
  }),
];
