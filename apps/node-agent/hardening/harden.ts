import { HOUR_MS } from "@securewave/foundation";
import { type Log, silentLog } from "../log.ts";
import type { Demand, Finding } from "./demand.ts";

export interface Outcome {
  readonly id: string;
  readonly isEssential: boolean;
  readonly state: Finding["state"] | "accepted";
  /** What is wrong and what to do; for what is met, what would be kept otherwise. */
  readonly why: string;
}

export interface HardeningOptions {
  readonly demands: readonly Demand[];
  /** Ids of demands that the operator answers for himself; `all` for all. They are neither applied nor checked. */
  readonly accepted?: readonly string[];
  readonly log?: Log;
  readonly everyMs?: number;
}

export interface Hardening {
  /** Looks, and changes nothing. */
  checkAll(): Promise<Outcome[]>;
  /** Sees to what is not met, then looks again. Calls at the same time share one run. */
  applyAll(): Promise<Outcome[]>;
  /** Why the node must not serve, by the last look; null when nothing keeps it from serving. */
  problem(): string | null;
  /** Looks again each hour until the returned function is called. */
  watch(): () => void;
  /** Takes back what was applied. */
  undoAll(): Promise<void>;
}

/** Holds the machine to what the promise to keep nothing needs (ZERO-LOG R5). */
export function createHardening(options: HardeningOptions): Hardening {
  const { demands, accepted = [], log = silentLog, everyMs = HOUR_MS } = options;
  let problem: string | null = null;
  let running: Promise<Outcome[]> | undefined;

  function isAccepted({ id }: Demand): boolean {
    return accepted.includes(id) || accepted.includes("all");
  }

  async function look(demand: Demand, isApplied: boolean): Promise<Outcome> {
    const { id, isEssential, why } = demand;
    if (isAccepted(demand)) return { id, isEssential, state: "accepted", why };
    let finding = await findingOf(demand);
    if (isApplied && finding.state !== "met" && demand.apply !== undefined) {
      await demand.apply();
      finding = await findingOf(demand);
    }
    return { id, isEssential, state: finding.state, why: textOf(finding) ?? why };
  }

  /** One after the other: some need what others made. */
  async function lookAll(isApplied: boolean): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const demand of demands) outcomes.push(await look(demand, isApplied));
    const before = problem;
    problem = problemOf(outcomes);
    if (problem !== null && problem !== before) log("unsafe-host", { why: problem });
    if (problem === null && before !== null) log("safe-host");
    return outcomes;
  }

  function applyAll(): Promise<Outcome[]> {
    running ??= lookAll(true).finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    checkAll: () => lookAll(false),
    applyAll,
    problem: () => problem,
    watch() {
      const timer = setInterval(() => void applyAll(), everyMs);
      return () => clearInterval(timer);
    },
    async undoAll() {
      for (const demand of demands) if (!isAccepted(demand)) await demand.undo?.();
    },
  };
}

/** A demand that cannot be checked is not met: the node fails closed. */
async function findingOf(demand: Demand): Promise<Finding> {
  try {
    return await demand.check();
  } catch {
    return { state: "failed", why: `It could not be found out whether this is so: ${demand.id}.` };
  }
}

function textOf(finding: Finding): string | undefined {
  return finding.state === "met" ? finding.note : finding.why;
}

/** The first thing to mend, and how many more there are. */
export function problemOf(outcomes: readonly Outcome[]): string | null {
  const wrong = outcomes.filter(({ state, isEssential }) => isEssential && state === "failed");
  const [first] = wrong;
  if (first === undefined) return null;
  const more = wrong.length > 1 ? ` (and ${wrong.length - 1} more: securewave-node harden --check)` : "";
  return `Not serving: ${first.why}${more}`;
}

export function tableOf(outcomes: readonly Outcome[]): string {
  const width = Math.max(...outcomes.map(({ id }) => id.length));
  return outcomes
    .map(({ id, isEssential, state, why }) => {
      const weight = isEssential ? "essential" : "";
      return `${id.padEnd(width)}  ${state.padEnd(9)}  ${weight.padEnd(9)}  ${why}`;
    })
    .join("\n");
}
