import { randomBytes } from "node:crypto";
import { deriveKey, keyedHash } from "@securewave/foundation/derive";
import { Secret, TOTP } from "otpauth";

/** What every authenticator app understands. @see https://github.com/google/google-authenticator/wiki/Key-Uri-Format */
const ALGORITHM = { algorithm: "SHA1", digits: 6, period: 30 } as const;
/** RFC 4226 §4 asks for 160 bits. */
const SECRET_BYTES = 20;
/** Clocks of phones go wrong by less than this many steps. */
const WINDOW_STEPS = 1;
/** The same for clocks of the service's own processes. */
const REPLICA_STEPS = 1;

const RECOVERY_CODES = 10;
const RECOVERY_BYTES = 10;
/** Crockford's base 32: no letter looks like a digit. */
const RECOVERY_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** @returns a secret in base 32 */
export function createTotpSecret(): string {
  return new Secret({ size: SECRET_BYTES }).base32;
}

/** The text of the QR code. */
export function totpUrl(secret: string, issuer: string, label: string): string {
  return new TOTP({ ...ALGORITHM, issuer, label, secret: Secret.fromBase32(secret) }).toString();
}

/**
 * Finds the time step that a code belongs to. @see https://www.rfc-editor.org/rfc/rfc6238
 *
 * @returns undefined for a wrong code
 */
export function stepOfCode(secret: string, code: string, nowMs: number): number | undefined {
  const totp = new TOTP({ ...ALGORITHM, secret: Secret.fromBase32(secret) });
  const delta = totp.validate({ token: code, timestamp: nowMs, window: WINDOW_STEPS });
  return delta === null ? undefined : Math.floor(nowMs / 1000 / ALGORITHM.period) + delta;
}

/** What is kept of the last step used: it tells later whether a step is that one, and never when that was. */
export function hashStep(secret: string, step: number): Buffer {
  return keyedHash(deriveKey(secret, "steps of codes"), String(step));
}

/** Hashes of a step and of those after it that a code could have been used at before. */
export function hashesFrom(secret: string, step: number): Buffer[] {
  const length = 2 * WINDOW_STEPS + REPLICA_STEPS + 1;
  return Array.from({ length }, (_, ahead) => hashStep(secret, step + ahead));
}

/** @returns codes of 80 bits for one use each: `ABCD-EFGH-JKMN-PQRS` */
export function createRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const bits = BigInt(`0x${randomBytes(RECOVERY_BYTES).toString("hex")}`);
    const letters = Array.from(
      { length: 16 },
      (_, at) => RECOVERY_ALPHABET[Number((bits >> BigInt(5 * at)) & 31n)],
    );
    return letters.join("").replace(/(.{4})(?=.)/g, "$1-");
  });
}

/** What is kept of a recovery code. 80 random bits need no slow hash; the key makes it worth nothing elsewhere. */
export function hashRecoveryCode(secret: string, code: string): Buffer {
  return keyedHash(deriveKey(secret, "recovery codes"), code);
}

/** Takes a code of an app as people write it. */
export function parseAppCode(text: string): string | undefined {
  const plain = text.replace(/[\s-]/g, "");
  return /^\d{6}$/.test(plain) ? plain : undefined;
}

/** Takes a recovery code as people write it; undefined for what cannot be one. */
export function parseRecoveryCode(text: string): string | undefined {
  const plain = text.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  return /^[0-9A-HJKMNP-TV-Z]{16}$/.test(plain) ? plain : undefined;
}
