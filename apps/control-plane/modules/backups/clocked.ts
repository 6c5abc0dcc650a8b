import { BACKUP_KINDS, type BackupRun } from "@securewave/contracts";
import { defineErrors, HOUR_MS } from "@securewave/foundation";
import type { JobContext, Jobs } from "@securewave/jobs";
import type { Telemetry } from "../../http/telemetry.ts";
import type { Archiving } from "./archiving.ts";
import { type Wanted, workInTurn } from "./in-turn.ts";
import type { Backups } from "./service.ts";

const workErrors = defineErrors("backup_work", {
  failed: { status: 500, message: "A backup failed. See why: securewave backup status" },
});

/** Behind the night's backups, when none is made. */
const CLEAN_UP_CRON = "47 4 * * *";
/** On the second day of each month. */
const VERIFY_CRON = "23 5 2 * *";
/** A large verification, or a backup that a search makes for itself, is no backup of the night. */
const WAITS_MS = 6 * HOUR_MS;

export interface ClockedOptions {
  readonly jobs: Pick<Jobs, "define">;
  readonly telemetry: Pick<Telemetry, "gauge">;
  readonly backups: Backups;
  readonly archiving: Archiving | undefined;
  /** Minutes of the day. */
  readonly at: number;
}

/** What the clock brings, and what metrics tell of it. */
export function defineClockedBackups({ jobs, telemetry, backups, archiving, at }: ClockedOptions): void {
  /** Waits for other work to end. A run that failed fails the job, which is tried again. */
  async function workWholly(wanted: Wanted, { signal, progress }: JobContext): Promise<void> {
    if (!backups.isOn) return;
    const onProgress = ({ share, doing }: BackupRun) => progress(Math.round(100 * share), 100, doing);
    const begun = await workInTurn(backups, wanted, { onProgress, signal, waitsMs: WAITS_MS });
    const stop = () => void begun.stop();
    signal.addEventListener("abort", stop, { once: true });
    const ended = await begun.over.finally(() => signal.removeEventListener("abort", stop));
    if (ended.state === "failed") throw workErrors.failed({ internal: ended.problem ?? "" });
  }

  const everyDay = `${at % 60} ${Math.floor(at / 60)} * * *`;
  const all = { act: "back_up", kinds: BACKUP_KINDS } as const;
  jobs.define<object>("back-up", (_data, context) => workWholly(all, context), { cron: everyDay });
  jobs.define<object>("clean-up-backups", (_data, context) => workWholly({ act: "clean_up" }, context), {
    cron: CLEAN_UP_CRON,
  });
  jobs.define<object>(
    "verify-backup",
    async (_data, context) => {
      const { newest, can_open } = await backups.state();
      for (const { backup } of can_open ? newest : [])
        if (backup !== null) await workWholly({ act: "verify", backupId: backup.id }, context);
    },
    { cron: VERIFY_CRON },
  );

  for (const kind of BACKUP_KINDS)
    telemetry.gauge(
      `securewave_backup_${kind}_age_seconds`,
      `Seconds since the newest backup of the ${kind} was taken, or since the start where there is none`,
      () => (backups.isOn ? backups.ageSeconds(kind) : Number.NaN),
    );
  telemetry.gauge(
    "securewave_backup_verified_age_seconds",
    "Seconds since a backup was last restored and found good, or since the oldest was taken",
    () => (backups.isOn ? backups.verifiedAgeSeconds() : Number.NaN),
  );
  telemetry.gauge(
    "securewave_backup_failed",
    "Whether the last work on backups failed, the archive stopped or has a gap, or the last verification found damage",
    async () => {
      if (!backups.isOn) return Number.NaN;
      return (await backups.trouble()) === undefined ? 0 : 1;
    },
  );
  telemetry.gauge(
    "securewave_backup_archive_lag_seconds",
    "Seconds of writes that are not on the target yet",
    () => archiving?.state().lagSeconds ?? Number.NaN,
  );
}
