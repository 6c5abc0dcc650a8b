import type { BackupRun, BackupVerification } from "@securewave/contracts";
import type { Tables } from "@securewave/database";
import type { Kysely } from "kysely";
import * as store from "./store.ts";

/** What a worker said that is written down when its run is over. */
export interface Held {
  known?: store.Holds;
  readonly verified: BackupVerification[];
}

/** Writes down what came of a run. @returns the backups of which it was not known that they are damaged */
export async function keepOutcome(
  trx: Kysely<Tables>,
  run: BackupRun,
  { known, verified }: Held,
  at: Date,
): Promise<readonly string[]> {
  for (const verification of verified) await store.insertVerification(trx, verification);
  const { act, begun_at, ended_at, succeeded, failed, backup_ids, problem } = run;
  const [begunAt, endedAt] = [new Date(begun_at), new Date(ended_at ?? begun_at)];
  const counts = { succeeded, failed, backup_ids, problem, restored_to: null };
  await store.insertRun(trx, { act, begun_at: begunAt, ended_at: endedAt, ...counts });
  if (known === undefined) return [];
  await store.replaceAll(trx, known);
  return store.noteDamaged(trx, known.damaged, at);
}
