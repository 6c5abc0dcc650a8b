import { setTimeout as pause } from "node:timers/promises";
import { backupErrors } from "@securewave/contracts";
import { isRefusalOf, SECOND_MS } from "@securewave/foundation";
import type { Backups } from "./service.ts";

export type Wanted = Parameters<Backups["work"]>[0];
type Options = NonNullable<Parameters<Backups["work"]>[1]>;

interface Waiting extends Options {
  readonly waitsMs: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

/**
 * Begins a work once no other goes on, here or in another process.
 *
 * @throws what `work` throws; `backups.already_running` where the other takes longer
 */
export async function workInTurn(backups: Pick<Backups, "work">, wanted: Wanted, waiting: Waiting) {
  const { waitsMs, signal, ...options } = waiting;
  for (const deadline = performance.now() + waitsMs; ; ) {
    try {
      return await backups.work(wanted, options);
    } catch (error) {
      if (!isRefusalOf(error, backupErrors.alreadyRunning) || performance.now() > deadline) throw error;
    }
    await pause(SECOND_MS, undefined, { ref: false, ...(signal && { signal }) });
  }
}
