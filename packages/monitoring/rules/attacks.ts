import type { AlertRule } from "../rule.ts";
import { gaugeRule } from "./gauge-rule.ts";

const ATTEMPTS = "sentinel_auth_attempts_total";
const REFUSED = "sentinel_rate_limit_exceeded_total";
const MINUTES = 5;

const attempts = (result: string, perMinute: number) => [
  { metric: ATTEMPTS, labels: { method: "password", result }, from: 0, step: perMinute },
];
const refused = (perMinute: number) => [
  { metric: REFUSED, labels: { limit_type: "ip" }, from: 0, step: perMinute },
];

/** Who tries to get in, or to wear the service out. */
export const attackRules: readonly AlertRule[] = [
  {
    name: "RateLimitViolations",
    group: "attacks",
    severity: "warning",
    when: { quantity: { kind: "growth", metric: REFUSED, minutes: MINUTES }, above: 500 },
    forMinutes: 5,
    summary: "More than 500 requests in five minutes were refused because a limit was used up",
    advice:
      "See which limit it is; a single origin is blocked by itself, many at once are an attack or a faulty client.",
    fires: refused(110),
    quiet: refused(100),
  },
  gaugeRule("attacks", {
    name: "ManyOriginsBlocked",
    severity: "warning",
    metric: "sentinel_blocked_ips_count",
    above: 50,
    forMinutes: 5,
    summary: "More than 50 origins are blocked",
    advice:
      "See on the page of blocks why; if customers are among them, a client in the field may be faulty.",
  }),
  {
    name: "LogInFailures",
    group: "attacks",
    severity: "warning",
    when: {
      quantity: { kind: "growth", metric: ATTEMPTS, where: { result: "failure" }, minutes: MINUTES },
      above: 100,
    },
    forMinutes: 5,
    summary: "More than 100 log-ins in five minutes failed",
    advice: "Either passwords are being guessed, or log-in is broken for everybody: try to log in yourself.",
    fires: attempts("failure", 25),
    quiet: attempts("failure", 20),
  },
  {
    name: "BruteForce",
    group: "attacks",
    severity: "critical",
    when: {
      quantity: { kind: "growth", metric: ATTEMPTS, where: { result: "locked" }, minutes: MINUTES },
      above: 20,
    },
    forMinutes: 2,
    summary: "More than 20 log-ins in five minutes met an account that was locked after failures",
    advice:
      "Somebody guesses passwords of known accounts; see in the audit trail which, and whether one was guessed.",
    fires: attempts("locked", 5),
    quiet: attempts("locked", 4),
  },
];
