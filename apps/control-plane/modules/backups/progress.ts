import type { BackupRun } from "@securewave/contracts";
import type { BackupEvent } from "./order.ts";

const BROKE_OFF = "The work broke off. The service's log says more: look for backup_failed.";

export function begin(act: BackupRun["act"], nowMs: number): BackupRun {
  const begun_at = secondOf(nowMs);
  return {
    act,
    state: "running",
    begun_at,
    ended_at: null,
    doing: "start",
    share: 0,
    succeeded: 0,
    failed: 0,
    backup_ids: [],
    problem: null,
  };
}

/** How far a run is after what the worker said. */
export function advance(run: BackupRun, event: BackupEvent): BackupRun {
  switch (event.kind) {
    case "progress":
      return { ...run, doing: event.doing, share: event.share };
    case "made":
      return { ...run, succeeded: run.succeeded + 1, backup_ids: [...run.backup_ids, event.backupId] };
    case "removed":
      return { ...run, succeeded: run.succeeded + event.backupIds.length };
    case "verified": {
      const { outcome, backup_id, checks } = event.verification;
      const backup_ids = [...run.backup_ids, backup_id];
      if (outcome === "passed") return { ...run, backup_ids, succeeded: run.succeeded + 1 };
      const problem = checks.find((check) => check.outcome === "failed")?.detail ?? null;
      return { ...run, backup_ids, failed: run.failed + 1, problem };
    }
    case "failed":
      return { ...run, failed: run.failed + 1, problem: run.problem ?? event.problem };
    case "holds":
      return run;
  }
}

/** @param isGood whether the worker came to its end */
export function end(run: BackupRun, isGood: boolean, nowMs: number): BackupRun {
  const failed = isGood ? run.failed : Math.max(1, run.failed);
  return {
    ...run,
    state: failed === 0 ? "done" : "failed",
    ended_at: secondOf(nowMs),
    share: 1,
    failed,
    problem: run.problem ?? (isGood ? null : BROKE_OFF),
  };
}

/** To the second, as it is kept. */
function secondOf(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
}
