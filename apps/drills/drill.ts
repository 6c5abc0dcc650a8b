import type { DrillReport, Scenario } from "@securewave/contracts";
import { TARGETS } from "./targets.ts";

/** What a drill says while it goes on, one JSON value a line. */
export type DrillEvent =
  | { readonly kind: "step"; readonly at_seconds: number; readonly what: string }
  | { readonly kind: "report"; readonly report: DrillReport };

/** What came of the fault. */
export interface Measured {
  readonly rtoSeconds: number;
  readonly rpoSeconds: number;
  readonly acknowledged: number;
  readonly lost: number;
}

/** One drill, as its scenario sees it. */
export interface Drill {
  /** A folder of its own, gone when it ends. */
  readonly dir: string;
  /** Ends with it, the last first. */
  readonly closing: AsyncDisposableStack;
  /** Writes into the timeline. */
  step(what: string): void;
  /** Notes something that must be so, and goes on in either case. */
  check(what: string, isMet: boolean): void;
}

export type RunScenario = (drill: Drill) => Promise<Measured>;

export interface Recording {
  readonly drill: Drill;
  report(measured: Measured | undefined): DrillReport;
}

const DECIMALS = 1000;
const CHARACTERS_MAX = 300;

/** @param dir see `Drill` */
export function record(
  scenario: Scenario,
  version: string,
  dir: string,
  closing: AsyncDisposableStack,
  emit: (event: DrillEvent) => void,
): Recording {
  const beganMs = performance.now();
  const timeline: DrillReport["timeline"] = [];
  const checks: DrillReport["checks"] = [];
  const target = TARGETS[scenario];

  function step(text: string): void {
    const what = plain(text);
    const at_seconds = rounded((performance.now() - beganMs) / 1000);
    if (timeline.length < 100) timeline.push({ at_seconds, what });
    emit({ kind: "step", at_seconds, what });
  }

  return {
    drill: {
      dir,
      closing,
      step,
      check(what, is_met) {
        checks.push({ what: plain(what), is_met });
        step(`${is_met ? "as it should be" : "NOT as it should be"}: ${what}`);
      },
    },
    report(measured) {
      const { rtoSeconds = 0, rpoSeconds = 0, acknowledged = 0, lost = 0 } = measured ?? {};
      const isWithin =
        rtoSeconds <= (target.rto_seconds ?? Number.POSITIVE_INFINITY) &&
        rpoSeconds <= (target.rpo_seconds ?? Number.POSITIVE_INFINITY);
      const isRight = measured !== undefined && checks.every(({ is_met }) => is_met);
      return {
        scenario,
        outcome: !isRight ? "failed" : isWithin ? "met" : "missed",
        version,
        target,
        rto_seconds: rounded(rtoSeconds),
        rpo_seconds: rounded(rpoSeconds),
        writes: { acknowledged, lost },
        timeline: timeline.length > 0 ? timeline : [{ at_seconds: 0, what: "it did not begin" }],
        checks,
      };
    },
  };
}

function rounded(seconds: number): number {
  return Math.round(Math.max(0, seconds) * DECIMALS) / DECIMALS;
}

/** What goes into a report is one line of text. */
function plain(text: string): string {
  return text.replace(/\p{C}+/gu, " ").slice(0, CHARACTERS_MAX);
}
