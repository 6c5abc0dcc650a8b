import { createToken } from "@securewave/foundation/secret";

const PREFIX = "swp";
const PATTERN = /^swp_([0-9a-z]{1,9})_[A-Za-z0-9_-]{43}$/;

/**
 * A token that says itself until when it works. What is stored is a hash of the whole, so the time cannot be changed,
 * and no time finer than a day is stored.
 *
 * @param untilSeconds since 1970
 */
export function createResetToken(untilSeconds: number): string {
  return createToken(`${PREFIX}_${untilSeconds.toString(36)}`);
}

export function isResetTokenFresh(token: string, nowMs: number): boolean {
  const until = PATTERN.exec(token)?.[1];
  return until !== undefined && Number.parseInt(until, 36) * 1000 > nowMs;
}
