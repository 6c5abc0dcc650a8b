import { setTimeout as pause } from "node:timers/promises";
import { type LedgerOptions, type LedgerResult, openLedger, type Writer } from "./ledger.ts";
import type { Scenario, Stage } from "./scenarios.ts";

/** Those who write in the same way, and how. */
export interface Writers extends LedgerOptions {
  readonly writers: readonly Writer[];
}

/** How long is written before the fault. */
const BEFORE_MS = 1000;

/**
 * Carries out one fault while writers write, waits until all is whole again, and then looks for everything that was
 * acknowledged: a member that must throw away what it has does so when it comes back.
 *
 * @returns what became of each group's writes, by its name
 */
export async function tryScenario<Group extends string>(
  scenario: Scenario,
  stage: Stage,
  groups: Readonly<Record<Group, Writers>>,
): Promise<Record<Group, LedgerResult>> {
  const names = Object.keys(groups) as Group[];
  const ledgers = names.map((name) => openLedger(groups[name].writers, groups[name]));
  const answerAgain = () => Promise.all(ledgers.map((ledger) => ledger.answersAgain()));
  try {
    await pause(BEFORE_MS);
    for (const ledger of ledgers) ledger.mark();
    await scenario.strike(stage);
    await answerAgain();
    await scenario.mend?.();
    await stage.cluster.whole();
    await answerAgain();
  } finally {
    await Promise.all(ledgers.map((ledger) => ledger.stop()));
  }
  const results = await Promise.all(ledgers.map((ledger) => ledger.settle()));
  return Object.fromEntries(names.map((name, at) => [name, results[at]])) as Record<Group, LedgerResult>;
}
