import { createPublicKey, type KeyObject } from "node:crypto";
import type { Clock } from "@securewave/foundation";
import type { Secret } from "@securewave/foundation/secret";
import { createSigner, createVerifier } from "fast-jwt";

const ISSUER = "securewave";
const AUDIENCE = "securewave-api";
const CACHED_TOKENS_MAX = 10_000;

/** What an access token says: which log-in of which account. Role and state are looked up, so they hold at once. */
export interface AccessClaims {
  readonly accountId: string;
  readonly sessionId: string;
}

/** JWTs. @see https://www.rfc-editor.org/rfc/rfc8725 */
export interface AccessTokens {
  readonly lifeSeconds: number;
  sign(claims: AccessClaims): string;
  /** @returns undefined for a token that is not ours, was changed, or has ended */
  verify(token: string): AccessClaims | undefined;
}

export type AccessTokenKey =
  | { readonly algorithm: "HS256"; readonly secret: Secret }
  | { readonly algorithm: "EdDSA"; readonly privateKey: KeyObject };

export function createAccessTokens(key: AccessTokenKey, lifeSeconds: number, clock: Clock): AccessTokens {
  const { algorithm } = key;
  const signKey = algorithm === "HS256" ? key.secret.reveal() : pemOf(key.privateKey, "pkcs8");
  const verifyKey =
    algorithm === "HS256" ? key.secret.reveal() : pemOf(createPublicKey(key.privateKey), "spki");
  const sign = createSigner({
    algorithm,
    key: signKey,
    iss: ISSUER,
    aud: AUDIENCE,
    expiresIn: lifeSeconds * 1000,
  });
  // One algorithm only: a token cannot choose how it is checked.
  const verify = createVerifier({
    algorithms: [algorithm],
    key: verifyKey,
    allowedIss: ISSUER,
    allowedAud: AUDIENCE,
    requiredClaims: ["sub", "sid", "exp"],
    cache: CACHED_TOKENS_MAX,
  });
  return {
    lifeSeconds,
    sign: ({ accountId, sessionId }) =>
      sign({ sub: accountId, sid: sessionId, iat: Math.floor(clock.now() / 1000) }),
    verify(token) {
      try {
        const { sub, sid, exp } = verify(token) as { sub: unknown; sid: unknown; exp: unknown };
        if (typeof sub !== "string" || typeof sid !== "string" || typeof exp !== "number") return undefined;
        return exp * 1000 > clock.now() ? { accountId: sub, sessionId: sid } : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

function pemOf(key: KeyObject, type: "pkcs8" | "spki"): string {
  return key.export({ format: "pem", type }).toString();
}
