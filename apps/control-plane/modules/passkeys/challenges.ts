import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "@securewave/foundation";
import { createRecentMap } from "@securewave/sentinel/credentials";
import { CEREMONY_MS } from "./webauthn.ts";

const SPENT_MAX = 50_000;
const RANDOM_BYTES = 16;
const BODY_BYTES = RANDOM_BYTES + 8;
const SIGNATURE_BYTES = 32;

/**
 * Challenges for passkeys that need not be kept: random bytes and an end, signed for one purpose. Each is taken
 * once by this process; the signature over it is fresh in any case.
 */
export function createPasskeyChallenges(key: Uint8Array, clock: Clock) {
  const spent = createRecentMap<string, true>(SPENT_MAX);
  const signatureOf = (purpose: string, body: Buffer) =>
    createHmac("sha256", key).update(`passkey ${purpose} `).update(body).digest();
  return {
    /** @param purpose `log-in`, or `add` with the id of the account */
    issue(purpose: string): Uint8Array<ArrayBuffer> {
      const body = Buffer.alloc(BODY_BYTES);
      randomBytes(RANDOM_BYTES).copy(body);
      body.writeBigUInt64BE(BigInt(clock.now() + CEREMONY_MS), RANDOM_BYTES);
      return new Uint8Array(Buffer.concat([body, signatureOf(purpose, body)]));
    },
    /** @param challenge in base64url, as the browser says that it was signed */
    take(purpose: string, challenge: string): boolean {
      const bytes = Buffer.from(challenge, "base64url");
      if (bytes.length !== BODY_BYTES + SIGNATURE_BYTES) return false;
      const body = bytes.subarray(0, BODY_BYTES);
      const isOurs = timingSafeEqual(bytes.subarray(BODY_BYTES), signatureOf(purpose, body));
      if (!isOurs || Number(body.readBigUInt64BE(RANDOM_BYTES)) <= clock.now()) return false;
      const id = body.toString("hex");
      if (spent.get(id)) return false;
      spent.set(id, true);
      return true;
    },
  };
}
