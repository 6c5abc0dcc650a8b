import { keyedHash } from "@securewave/foundation/derive";
import { createToken, equalInConstantTime, hashToken } from "@securewave/foundation/secret";

const PREFIX = "swr";
const PATTERN = /^swr_(ses_[0-9a-z]{20})_[A-Za-z0-9_-]{43}$/;
/** A session rotates once per access token at most every few seconds; more steps are no honest token. */
const GENERATIONS_MAX = 5000;

/**
 * Refresh tokens of one session form a chain: each follows from the one before by a keyed hash. So two
 * requests that refresh at once get the same token, and any older token of the chain can be told from a guess.
 */
export interface RefreshTokens {
  first(sessionId: string): string;
  after(token: string): string;
  /** @returns the id of the session, or undefined on text that is no refresh token */
  sessionIdOf(token: string): string | undefined;
  /** Whether a token led to the one whose hash is given. */
  isAncestor(token: string, hash: Uint8Array): boolean;
}

export function createRefreshTokens(key: Uint8Array): RefreshTokens {
  function sessionIdOf(token: string): string | undefined {
    return PATTERN.exec(token)?.[1];
  }
  function after(token: string): string {
    return `${PREFIX}_${sessionIdOf(token)}_${keyedHash(key, token).toString("base64url")}`;
  }
  return {
    first: (sessionId) => createToken(`${PREFIX}_${sessionId}`),
    after,
    sessionIdOf,
    isAncestor(token, hash) {
      let descendant = token;
      for (let generation = 0; generation < GENERATIONS_MAX; generation++) {
        descendant = after(descendant);
        if (equalInConstantTime(hashToken(descendant), hash)) return true;
      }
      return false;
    },
  };
}
