import { BACKUP_KINDS } from "@securewave/contracts";
import { MINUTE_MS, SECOND_MS } from "@securewave/foundation";
import type { AuditorBackups, BackupAnswer, BackupControls } from "@securewave/ghosts/auditor-protocol";
import type { Archiving } from "./archiving.ts";
import { workInTurn } from "./in-turn.ts";
import type { Backups } from "./service.ts";

/** What a search for traces has of the backups. */
export interface AuditedBackups {
  readonly place: () => AuditorBackups;
  /** Has a backup of every kind made, with the texts that must be found in it. It never fails. */
  readonly backUp: (controls: BackupControls) => Promise<BackupAnswer>;
  /**
   * Removes what was made for a search; a backup that is the only one of its kind stays. It never fails: what it
   * cannot remove goes when its days are over.
   */
  readonly discard: (backupIds: readonly string[]) => Promise<void>;
}

export interface AuditedOptions {
  readonly backups: Backups;
  readonly archiving: Pick<Archiving, "state" | "flush"> | undefined;
  readonly place: Omit<AuditorBackups, "isDatabaseFollowed">;
  readonly onTrouble: (error: unknown) => void;
}

/** Another backup, of staff or of the clock, ends within it. */
const WAITS_MS = 10 * MINUTE_MS;
/** The end of the service waits for it. */
const DISCARDS_WITHIN_MS = 5 * SECOND_MS;

export function createAuditedBackups({
  backups,
  archiving,
  place,
  onTrouble,
}: AuditedOptions): AuditedBackups {
  return {
    place() {
      const { state, problem } = archiving?.state() ?? { state: "stopped", problem: undefined };
      return { ...place, isDatabaseFollowed: state !== "stopped" || problem === undefined };
    },

    async backUp(controls) {
      try {
        const wanted = { act: "back_up", kinds: BACKUP_KINDS, controls } as const;
        const run = await (await workInTurn(backups, wanted, { waitsMs: WAITS_MS })).over;
        await archiving?.flush().catch(onTrouble); // whether all has arrived, whoever searches looks
        return { backupIds: run.backup_ids };
      } catch (error) {
        onTrouble(error);
        return { backupIds: [] };
      }
    },

    async discard(backupIds) {
      if (backupIds.length === 0) return;
      await workInTurn(backups, { act: "clean_up", backupIds }, { waitsMs: DISCARDS_WITHIN_MS })
        .then(({ over }) => over)
        .catch(onTrouble);
    },
  };
}
