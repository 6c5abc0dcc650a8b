import type { BackupCheck } from "@securewave/contracts";
import { RefusalError } from "@securewave/foundation";

/** Carries out one check of a backup; what it throws counts as failed. */
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

export function failed(name: BackupCheck["name"], error: unknown): BackupCheck {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  const detail = error instanceof RefusalError ? error.message : `It broke off (${code}).`;
  return { name, outcome: "failed", detail };
}
