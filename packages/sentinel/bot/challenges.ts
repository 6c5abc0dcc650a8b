import { createHash, createHmac, createSecretKey, randomBytes, timingSafeEqual } from "node:crypto";
import { DIFFICULTY_BITS_MAX, leadingZeroBits, parseSolution } from "@securewave/contracts/challenge";
import { sentinelErrors } from "@securewave/contracts/sentinel";
import { type Clock, invariant, MINUTE_MS, SECOND_MS } from "@securewave/foundation";
import { createSpentIds } from "./spent-ids.ts";

export interface ChallengesOptions {
  /** Signs challenges; 32 bytes, the same in all replicas. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  /** Zero bits asked in calm times; each more doubles the work. */
  readonly difficultyBits?: number;
  /** How hard the service is pressed, 0 to 1: under full pressure the work is 16-fold. */
  readonly pressure?: () => number;
  /**
   * Tells the other replicas that a solution was used.
   *
   * @returns false when one of them had it already; where it rejects, what this process remembers decides
   */
  readonly spend?: (id: string, lifeSeconds: number) => Promise<boolean>;
  /** How many used solutions this process remembers. */
  readonly spentMax?: number;
}

/** Proof of work without a third party; nothing is kept of a challenge until it is solved. */
export interface Challenges {
  /** @param purpose what it is for: 1 to 32 of a–z, 0–9 and `-` */
  issue(purpose: string): string;
  /**
   * Takes a solution, once.
   *
   * @throws sentinel.challenge_failed, at once or by the promise
   */
  check(purpose: string, solution: string): void | Promise<void>;
}

const LIFE_MS = 5 * MINUTE_MS;
const DIFFICULTY_BITS = 18;
const EXTRA_BITS_MAX = 4;
const SPENT_MAX = 100_000;
const PURPOSE = /^[a-z0-9-]{1,32}$/;

export function createChallenges({
  key,
  clock,
  difficultyBits = DIFFICULTY_BITS,
  pressure = () => 0,
  spend,
  spentMax = SPENT_MAX,
}: ChallengesOptions): Challenges {
  invariant(key.length >= 32, "the key of challenges has 32 bytes");
  const isInRange = difficultyBits >= 1 && difficultyBits + EXTRA_BITS_MAX <= DIFFICULTY_BITS_MAX;
  invariant(Number.isInteger(difficultyBits) && isInRange, "a challenge can be solved in a browser");
  const secretKey = createSecretKey(key);
  const spendHere = createSpentIds(clock, spentMax);

  function signatureOf(text: string): string {
    return createHmac("sha256", secretKey).update(text).digest("base64url");
  }

  async function spendEverywhere(id: string, lifeSeconds: number): Promise<void> {
    const isFirst = await spend?.(id, lifeSeconds).catch(() => true);
    if (isFirst === false) throw sentinelErrors.challengeFailed();
  }

  return {
    issue(purpose) {
      invariant(PURPOSE.test(purpose), "a challenge's purpose is a short word");
      const bits = difficultyBits + Math.round(shareOf(pressure()) * EXTRA_BITS_MAX);
      const endsAtSeconds = Math.ceil((clock.now() + LIFE_MS) / SECOND_MS);
      const id = randomBytes(16).toString("base64url");
      const signed = `c1.${purpose}.${bits}.${endsAtSeconds}.${id}`;
      return `${signed}.${signatureOf(signed)}`;
    },
    check(purpose, solution) {
      const challenge = parseSolution(solution);
      if (!challenge) throw sentinelErrors.challengeFailed();
      const { id, endsAtSeconds } = challenge;
      const lifeSeconds = endsAtSeconds - Math.floor(clock.now() / SECOND_MS);
      const isGood =
        isSame(challenge.signature, signatureOf(challenge.signed)) &&
        challenge.purpose === purpose &&
        lifeSeconds > 0 &&
        leadingZeroBits(createHash("sha256").update(solution).digest()) >= challenge.difficultyBits &&
        spendHere(id, endsAtSeconds);
      if (!isGood) throw sentinelErrors.challengeFailed();
      return spend && spendEverywhere(id, lifeSeconds);
    },
  };
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/** What is no number counts as no pressure. */
function shareOf(value: number): number {
  return Math.min(1, Math.max(0, value || 0));
}
