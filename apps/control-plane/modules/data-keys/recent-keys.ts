import type { PuncturableFile } from "@securewave/forgetting";
import { type AccountKey, createAccountKey } from "./account-key.ts";

export const RECENT_KEYS_MAX = 1_000;
/** None stays for longer, however often it is asked for. */
export const RECENT_KEYS_MS = 60_000;

/** Keys that were asked for lately, since deriving one costs 0.2 ms: three quarters of what a list of accounts costs. */
export interface RecentKeys {
  /** Undefined for one that was erased, also if it was asked for a moment before. */
  of(number: number): AccountKey | undefined;
  /** Drops those that were erased. */
  dropErased(): void;
}

export function createRecentKeys(keys: Pick<PuncturableFile, "keyOf" | "isErased">): RecentKeys {
  const recent = new Map<number, AccountKey>();

  function keep(number: number, key: AccountKey): AccountKey {
    if (recent.size >= RECENT_KEYS_MAX) recent.clear();
    if (recent.size === 0) setTimeout(() => recent.clear(), RECENT_KEYS_MS).unref();
    recent.set(number, key);
    return key;
  }

  return {
    of(number) {
      if (keys.isErased(number)) {
        recent.delete(number);
        return undefined;
      }
      const known = recent.get(number);
      if (known) return known;
      const key = keys.keyOf(number);
      return key && keep(number, createAccountKey(key));
    },
    dropErased() {
      for (const number of recent.keys()) if (keys.isErased(number)) recent.delete(number);
    },
  };
}
