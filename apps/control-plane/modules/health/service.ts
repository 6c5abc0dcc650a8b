import type { HealthDetails } from "@securewave/contracts";
import { type Clock, invariant, SECOND_MS } from "@securewave/foundation";
import { type AlertRule, alertRules, createHistory, type History } from "@securewave/monitoring";
import type { Telemetry } from "../../http/telemetry.ts";
import { type CheckSpec, HEALTH_CHECKS } from "./checks.ts";

export type ServiceHealth = ReturnType<typeof createServiceHealth>;

type Check = HealthDetails["checks"][number];

/** Visitors may ask as often as they like; it is looked at anew so often. */
const PUBLIC_AGE_MS = 10 * SECOND_MS;

const RULES = new Map(alertRules.map((rule) => [rule.name, rule]));

export function createServiceHealth({
  telemetry,
  clock,
}: {
  readonly telemetry: Pick<Telemetry, "samples">;
  readonly clock: Clock;
}) {
  let known: { readonly untilMs: number; readonly troubles: Promise<Record<string, string>> } | undefined;

  async function look(): Promise<Check[]> {
    const history = createHistory(alertRules.map(({ when }) => when));
    history.add(clock.now(), await telemetry.samples());
    return HEALTH_CHECKS.map((spec) => checkOf(spec, history));
  }
  async function troubles(): Promise<Record<string, string>> {
    const isPublic = new Set(HEALTH_CHECKS.flatMap(({ id, isPublic }) => (isPublic ? [id] : [])));
    const failing = (await look()).filter(({ id, state }) => state === "failing" && isPublic.has(id));
    return Object.fromEntries(failing.map(({ id, says }) => [id, says]));
  }
  return {
    /** All checks as they are now, for staff. */
    async details(): Promise<HealthDetails> {
      const checks = await look();
      const isAny = (state: Check["state"]) => checks.some((check) => check.state === state);
      const isDown = checks.some(({ id, state }) => id === "database" && state === "failing");
      return {
        status: isDown ? "unhealthy" : isAny("failing") || isAny("warning") ? "degraded" : "healthy",
        timestamp: new Date(clock.now()).toISOString(),
        checks,
      };
    },

    /** What visitors are told beside database, Redis and nodes: checks that fail, each with a sentence. */
    troubles(): Promise<Record<string, string>> {
      if (known === undefined || performance.now() > known.untilMs)
        known = { untilMs: performance.now() + PUBLIC_AGE_MS, troubles: troubles() };
      return known.troubles;
    },
  };
}

function checkOf({ id, title, alerts, well, unknown }: CheckSpec, history: History): Check {
  const rules = alerts.map(ruleOf);
  const held = rules.filter(({ when }) => history.holds(when));
  const worst = held.find(({ severity }) => severity === "critical") ?? held[0];
  if (worst) {
    const state = worst.severity === "critical" ? "failing" : "warning";
    return { id, title, state, says: `${worst.summary}.`, advice: worst.advice, alerts: held.map(nameOf) };
  }
  const isKnown = rules.some(({ when }) => history.valueOf(when.quantity) !== undefined);
  const [state, says] = isKnown ? (["well", well] as const) : (["unknown", unknown] as const);
  return { id, title, state, says, advice: null, alerts: [] };
}

function nameOf({ name }: AlertRule): string {
  return name;
}

function ruleOf(name: string): AlertRule {
  const rule = RULES.get(name);
  invariant(rule !== undefined, `there is an alert ${name}`);
  return rule;
}
