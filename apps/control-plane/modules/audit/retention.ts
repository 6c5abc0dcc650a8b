import type { Database, Tables } from "@securewave/database";
import type { Kysely } from "kysely";
import type { Act } from "./act.ts";
import { writeArchive } from "./archive.ts";
import { readPart } from "./parts.ts";
import { type createSigning, TrailChangedError } from "./signing.ts";
import * as store from "./store.ts";

/** Of one file and one transaction, but for what no checkpoint divides. */
const ENTRIES_MAX = 50_000;

export interface RetentionOptions {
  readonly database: Database;
  readonly signing: ReturnType<typeof createSigning>;
  readonly archiveDir: string;
  readonly write: (trx: Kysely<Tables>, acts: readonly Act[]) => Promise<void>;
}

/** Moves entries past their time into files, each up to a checkpoint, so that it is verified by itself. */
export function createRetention({ database, signing, archiveDir, write }: RetentionOptions) {
  /** @returns whether there was something to move */
  async function archiveNext(trx: Kysely<Tables>, before: string): Promise<boolean> {
    if (!(await store.lockArchive(trx))) return false;
    const { size } = await store.readFrontier(trx);
    const from = (await store.archivedUpTo(trx)) + 1;
    const oldEnd = (await store.firstYoung(trx, before)) ?? size;
    const end = await endOf(trx, from, oldEnd);
    if (end === undefined) return false;
    const [part, verifier] = [{ from, end, size }, await signing.verifier(trx)];
    const details = { from, to: end - 1 };
    const erased = await store.countErasedWithAccounts(trx, from, end);
    if (!(await writeArchive(archiveDir, details, await readPart(trx, part, verifier), verifier, erased)))
      throw new TrailChangedError(`the audit trail was changed between entries ${from} and ${end - 1}`);
    await store.eraseEntries(trx, from, end - 1);
    await write(trx, [{ kind: "audit_archived", actor: "system", subject: "service", details }]);
    return true;
  }

  return {
    /** @param day the first that is not past */
    async archiveBefore(day: string): Promise<void> {
      while (await database.transaction((trx) => archiveNext(trx, day)));
    },
  };
}

/** The size of a checkpoint at which a file from an entry on may end. */
async function endOf(trx: Kysely<Tables>, from: number, oldEnd: number): Promise<number | undefined> {
  const last = await store.checkpointAtOrBelow(trx, Math.min(oldEnd, from + ENTRIES_MAX));
  if (last !== undefined && last > from) return last;
  const next = await store.checkpointAtOrAbove(trx, from + 1);
  return next !== undefined && next <= oldEnd ? next : undefined;
}
