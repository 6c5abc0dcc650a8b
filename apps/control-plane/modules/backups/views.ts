import type { BackupVerification, Backup as BackupView } from "@securewave/contracts";
import type { BackupRow, VerificationRow } from "./store.ts";

export function backupViewOf(
  { size_bytes, ...row }: BackupRow,
  verification: VerificationRow | undefined,
): BackupView {
  return {
    ...row,
    bytes: size_bytes,
    taken_at: row.taken_at.toISOString(),
    counts: row.counts as BackupView["counts"],
    verification: verification === undefined ? null : verificationViewOf(verification),
  };
}

export function verificationViewOf(row: VerificationRow): BackupVerification {
  const { backup_id, verified_at, outcome } = row;
  const checks = row.checks as BackupVerification["checks"];
  return { backup_id, verified_at: verified_at.toISOString(), outcome, checks };
}
