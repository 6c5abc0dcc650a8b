import type { ServiceMinutes, SlaFigure, SlaMonth } from "@securewave/contracts";
import { availabilityOf } from "./minutes.ts";
import { type Performance, UNMEASURED } from "./performance.ts";

/** What is promised: so much of the measured time. */
export const AVAILABILITY_TARGET = 0.999;

interface Threshold {
  readonly name: SlaFigure["name"];
  readonly target: number;
  readonly alert: number;
}

/** What is to be kept, and from where on somebody is to look. Of availability more is better, of all else less. */
const THRESHOLDS: readonly Threshold[] = [
  { name: "availability", target: AVAILABILITY_TARGET, alert: 0.995 },
  { name: "error_share", target: 0.001, alert: 0.01 },
  { name: "mean_ms", target: 200, alert: 500 },
  { name: "p95_ms", target: 500, alert: 1000 },
  { name: "query_ms", target: 50, alert: 200 },
  { name: "processor", target: 0.7, alert: 0.85 },
  { name: "memory", target: 0.8, alert: 0.9 },
];

export function figuresOf(minutes: ServiceMinutes, performance: Performance): SlaFigure[] {
  return THRESHOLDS.map(({ name, target, alert }) => {
    const value = name === "availability" ? availabilityOf(minutes) : told(performance[name]);
    return { name, value, target, alert, state: stateOf(name, value, target, alert) };
  });
}

function stateOf(
  name: SlaFigure["name"],
  value: number | null,
  target: number,
  alert: number,
): SlaFigure["state"] {
  if (value === null) return "unknown";
  const isBeyond = (limit: number) => (name === "availability" ? value < limit : value >= limit);
  if (isBeyond(alert)) return "alarming";
  return isBeyond(target) ? "missed" : "met";
}

/**
 * How much of the time in which the API may be down was spent. Degraded minutes spend nothing, and unknown ones are told
 * beside it: they may have.
 */
export function budgetOf(of: ServiceMinutes, minutesOfMonth: number): SlaMonth["budget"] {
  const { down, unknown } = of;
  const minutes = minutesOfMonth * (1 - AVAILABILITY_TARGET);
  return {
    minutes: Math.round(minutes * 10) / 10,
    spent_minutes: down,
    unknown_minutes: unknown,
    left: availabilityOf(of) === null ? null : (minutes - down) / minutes,
  };
}

export function viewOf(performance: Performance) {
  const { mean_ms, p95_ms, error_share, probe_ms, query_ms, processor, memory } = performance;
  const shown = { mean_ms, p95_ms, error_share, probe_ms, query_ms, processor, memory };
  return Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, told(value)])) as {
    readonly [Name in keyof typeof shown]: number | null;
  };
}

function told(value: number): number | null {
  return value === UNMEASURED ? null : value;
}
