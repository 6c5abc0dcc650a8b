import { createToken, equalInConstantTime } from "@securewave/foundation/secret";

const PREFIX = "swr";
/** The chain (its log-in and 256 random bits), the number in it, and the keyed hash of both. */
const PATTERN = /^(swr_(ses_[0-9a-z]{20})_[A-Za-z0-9_-]{43})_(0|[1-9][0-9]{0,8})_([A-Za-z0-9_-]{43})$/;

/**
 * Refresh tokens of one log-in form a chain: each names its chain and its number in it, under a keyed hash. So two
 * requests that refresh at once get the same next token, and a token of the chain, however old, is told from a guess
 * by one hash.
 */
export interface RefreshToken {
  /** As the program keeps it. */
  readonly text: string;
  readonly sessionId: string;
  /** The text of the next token. Only who is known to hold this one may get it. */
  next(): string;
  /** Whether the chain really has this token. It may be any: the present one, or one of before. */
  isOfChain(): boolean;
}

export interface RefreshTokens {
  first(sessionId: string): string;
  /** @returns undefined on text that has not the form of a refresh token */
  parse(text: string): RefreshToken | undefined;
}

/** @param keyedHash tells 32 bytes of a text that nobody without the key can tell or predict */
export function createRefreshTokens(keyedHash: (text: string) => Buffer): RefreshTokens {
  const proofOf = (unproved: string) => keyedHash(unproved).toString("base64url");
  const prove = (unproved: string) => `${unproved}_${proofOf(unproved)}`;
  return {
    first: (sessionId) => prove(`${createToken(`${PREFIX}_${sessionId}`)}_0`),
    parse(text) {
      const [, chain, sessionId, number, proof] = PATTERN.exec(text) ?? [];
      if (chain === undefined || sessionId === undefined || proof === undefined) return undefined;
      return {
        text,
        sessionId,
        next: () => prove(`${chain}_${Number(number) + 1}`),
        isOfChain: () => equalInConstantTime(proof, proofOf(`${chain}_${number}`)),
      };
    },
  };
}
