import { backupErrors, targetErrors } from "@securewave/backup";
import type { BackupCheck } from "@securewave/contracts";
import { RefusalError } from "@securewave/foundation";

/** With these the verification could not be carried out: they say nothing of the backup. */
const NO_VERDICT: readonly string[] = [
  backupErrors.interrupted.code,
  backupErrors.diskFull.code,
  targetErrors.unreachable.code,
  targetErrors.denied.code,
];

/**
 * Carries out one check of a backup; what it throws counts as failed.
 *
 * @throws backup.interrupted, backup.disk_full, backup_target.unreachable, backup_target.denied
 */
export async function attempt(
  name: BackupCheck["name"],
  check: () => Promise<{ isGood: boolean; detail: string }>,
): Promise<BackupCheck> {
  try {
    const { isGood, detail } = await check();
    return { name, outcome: isGood ? "passed" : "failed", detail };
  } catch (error) {
    return failed(name, error);
  }
}

/** @throws what `attempt` throws */
export function failed(name: BackupCheck["name"], error: unknown): BackupCheck {
  if (error instanceof RefusalError && NO_VERDICT.includes(error.code)) throw error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  const detail = error instanceof RefusalError ? error.message : `It broke off (${code}).`;
  return { name, outcome: "failed", detail };
}
