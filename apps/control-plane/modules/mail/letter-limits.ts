import { randomBytes } from "node:crypto";
import type { Clock } from "@securewave/foundation";
import { keyedHash } from "@securewave/foundation/derive";
import { createRateLimits, type Policy, type RateLimits } from "@securewave/sentinel/rate-limit";

/** What a letter is asked for: a link that sets a new password, or one that confirms an address. */
export type LetterKind = "reset" | "account";

/** Keeps strangers from filling somebody's mailbox by asking for letters to it. */
export interface LetterLimits {
  /**
   * Counts what is asked for by the address alone, whether or not it has an account, so that the answer tells
   * nothing; what is asked too often is to be dropped without a word.
   *
   * @param email in lower case
   */
  admit(email: string, kind: LetterKind): Promise<boolean>;
}

export interface LetterLimitsOptions {
  readonly clock: Clock;
  /** Those that replicas share; by default, ones of this process. */
  readonly limits?: Pick<RateLimits, "takeAll">;
  /** Under which addresses become pseudonyms, the same in all replicas; by default, one that nobody knows. */
  readonly key?: Uint8Array;
}

const PER_MINUTE: Policy = { name: "letter-minute", limit: 1, windowSeconds: 60 };
const PER_HOUR: Policy = { name: "letter-hour", limit: 5, windowSeconds: 3600 };
/**
 * Asking for letters that an account gets none of (to confirm what is confirmed, say) costs the same as for those
 * that it gets. Two of the five are kept for the other kind, so that this shuts nobody out.
 */
const PER_KIND: Policy = { name: "letter-kind", limit: 3, windowSeconds: 3600 };
const PSEUDONYM_LENGTH = 22; // 132 bits in base64url

export function createLetterLimits(options: LetterLimitsOptions): LetterLimits {
  const { clock, limits = createRateLimits({ clock }), key = randomBytes(32) } = options;
  return {
    async admit(email, kind) {
      const pseudonym = keyedHash(key, email).toString("base64url").slice(0, PSEUDONYM_LENGTH);
      const verdicts = await limits.takeAll([
        [PER_MINUTE, `${kind} ${pseudonym}`],
        [PER_KIND, `${kind} ${pseudonym}`],
        [PER_HOUR, pseudonym],
      ]);
      return verdicts.every(({ isAllowed }) => isAllowed);
    },
  };
}
