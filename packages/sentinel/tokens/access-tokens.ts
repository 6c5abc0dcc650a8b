import { type Clock, invariant, SECOND_MS } from "@securewave/foundation";
import { createRecentMap } from "../credentials/index.ts";
import { createKeyRing, type KeyRing, type SigningKey } from "./key-ring.ts";

/** What an access token says: which log-in of which account. Role and state are looked up, so they hold at once. */
export interface AccessClaims {
  readonly accountId: string;
  readonly sessionId: string;
}

export interface AccessTokensOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly lifeSeconds: number;
  readonly clock: Clock;
  /**
   * The keys of the moment: the first signs, all verify. Asked each time: a new key is taken up at once, tokens of
   * keys that are still there stay good, those of a key that is gone end.
   */
  readonly keys: () => readonly SigningKey[];
}

/** JWTs. @see https://www.rfc-editor.org/rfc/rfc8725 */
export interface AccessTokens {
  readonly lifeSeconds: number;
  sign(claims: AccessClaims): string;
  /** @returns undefined for a token that is not ours, was changed, or has ended */
  verify(token: string): AccessClaims | undefined;
}

interface CheckedToken {
  readonly claims: AccessClaims;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Ours have about 350 characters. */
const TOKEN_LENGTH_MAX = 1024;
const CACHED_TOKENS_MAX = 10_000;
/** By how much the clocks of two replicas may differ. */
const LEEWAY_MS = 60 * SECOND_MS;

/** Only good tokens are remembered, so that bad ones push none of them out. */
export function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const { issuer, audience, lifeSeconds, clock, keys } = options;
  invariant(Number.isSafeInteger(lifeSeconds) && lifeSeconds > 0, "an access token lives for whole seconds");
  const cache = createRecentMap<string, CheckedToken>(CACHED_TOKENS_MAX);
  let ringKeys = [...keys()];
  let ring = createKeyRing(ringKeys);

  function currentRing(): KeyRing {
    const latest = keys();
    if (latest.length !== ringKeys.length || latest.some((key, at) => key !== ringKeys[at])) {
      ring = createKeyRing(latest);
      ringKeys = [...latest];
      cache.clear();
    }
    return ring;
  }

  function check(payload: string | undefined): CheckedToken | undefined {
    const claims = payload === undefined ? undefined : parseClaims(payload);
    if (!claims || claims.iss !== issuer || !isFor(audience, claims.aud)) return undefined;
    const { sub, sid, iat, exp, nbf = iat } = claims;
    if (typeof sub !== "string" || typeof sid !== "string") return undefined;
    if (typeof iat !== "number" || typeof exp !== "number" || typeof nbf !== "number") return undefined;
    return {
      claims: { accountId: sub, sessionId: sid },
      fromMs: Math.max(iat, nbf) * SECOND_MS - LEEWAY_MS,
      untilMs: exp * SECOND_MS,
    };
  }

  return {
    lifeSeconds,
    sign({ accountId, sessionId }) {
      const iat = Math.floor(clock.now() / SECOND_MS);
      const exp = iat + lifeSeconds;
      return currentRing().sign({ iss: issuer, aud: audience, sub: accountId, sid: sessionId, iat, exp });
    },
    verify(token) {
      if (token.length > TOKEN_LENGTH_MAX) return undefined;
      const nowMs = clock.now();
      const keyRing = currentRing();
      const cached = cache.get(token);
      const checked = cached ?? check(keyRing.open(token));
      if (!checked || checked.fromMs > nowMs || checked.untilMs <= nowMs) return undefined;
      if (!cached) cache.set(token, checked);
      return checked.claims;
    },
  };
}

/** @returns undefined on what is no object in our own spelling, as one with a name twice or a number without end */
function parseClaims(payload: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const claims: unknown = JSON.parse(payload);
    return isRecord(claims) && JSON.stringify(claims) === payload ? claims : undefined;
  } catch {
    return undefined;
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3 */
function isFor(audience: string, aud: unknown): boolean {
  return aud === audience || (Array.isArray(aud) && aud.includes(audience));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
