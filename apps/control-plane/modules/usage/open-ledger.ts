import type { Jobs } from "@securewave/jobs";
import type { Bus } from "../../bus.ts";
import { createLedger, type Ledger, type LedgerOptions } from "./ledger.ts";
import { scheduleLedger } from "./ledger-job.ts";

export interface OpenLedgerOptions extends Omit<LedgerOptions, "announce"> {
  readonly bus: Bus;
  readonly jobs: Jobs;
  /** Another process rewrote the ledger, and this one has read it. */
  onReloaded(): void;
}

export interface OpenLedger {
  readonly ledger: Ledger;
  /** Begins to catch up with what was due while the service was away. */
  start(): void;
  close(): void;
}

/** Opens the ledger, keeps it the same as in the other processes, and has it rewritten in time. */
export async function openLedger({
  bus,
  jobs,
  onReloaded,
  ...options
}: OpenLedgerOptions): Promise<OpenLedger> {
  const ledger = createLedger({ ...options, announce: () => bus.publish("ledger-rewritten", "") });
  await ledger.open();
  async function reload(): Promise<void> {
    try {
      if (await ledger.reload()) onReloaded();
    } catch (error) {
      options.onTrouble("reload_failed", error);
    }
  }
  bus.subscribe(
    "ledger-rewritten",
    () => void reload(),
    () => void reload(),
  );
  const schedule = scheduleLedger(jobs, ledger, options.flushAt);
  return {
    ledger,
    start: schedule.start,
    close() {
      schedule.stop();
      ledger.close();
    },
  };
}
