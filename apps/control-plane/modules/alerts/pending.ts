import { MINUTE_MS } from "@securewave/foundation";
import { type AlertRule, createHistory, type Sample } from "@securewave/monitoring";

/** How long it must be well before an alert is over: as long as the longest window, which a restart leaves empty. */
const QUIET_MINUTES = 5;

export interface Judgement {
  readonly rule: AlertRule;
  /** Whether its condition held for as long as the rule wants. */
  readonly fires: boolean;
  /** Whether it did not hold for long enough to be over. */
  readonly isOver: boolean;
}

/** Judges rules over one process's samples, as time goes on. */
export function createJudge(rules: readonly AlertRule[]) {
  const history = createHistory(rules.map(({ when }) => when));
  const heldSinceMs = new Map<string, number>();
  const quietSinceMs = new Map<string, number>();
  let lastMs = 0;

  return {
    judge(atMs: number, samples: readonly Sample[]): Judgement[] {
      if (atMs < lastMs) {
        heldSinceMs.clear();
        quietSinceMs.clear();
      }
      lastMs = atMs;
      history.add(atMs, samples);
      return rules.map((rule) => {
        const { name, when, forMinutes } = rule;
        const [now, other] = history.holds(when) ? [heldSinceMs, quietSinceMs] : [quietSinceMs, heldSinceMs];
        other.delete(name);
        if (!now.has(name)) now.set(name, atMs);
        return {
          rule,
          fires: lastsFor(heldSinceMs.get(name), atMs, forMinutes),
          isOver: lastsFor(quietSinceMs.get(name), atMs, QUIET_MINUTES),
        };
      });
    },
  };
}

function lastsFor(sinceMs: number | undefined, atMs: number, minutes: number): boolean {
  return sinceMs !== undefined && atMs - sinceMs >= minutes * MINUTE_MS;
}
