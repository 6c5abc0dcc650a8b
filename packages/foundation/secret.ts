import { createHash, hash, randomBytes, timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

/** A value that prints as `[secret]` wherever it is logged, inspected or put into JSON. */
export interface Secret {
  /** The only way to the value. */
  reveal(): string;
}

export function createSecret(value: string): Secret {
  return Object.freeze({
    reveal: () => value,
    toString: () => "[secret]",
    toJSON: () => "[secret]",
    [inspect.custom]: () => "[secret]",
  });
}

/** Makes an unguessable text of 256 bits with a prefix that tells scanners what it is: `swj_…`. */
export function createToken(prefix: string): string {
  return `${prefix}_${randomBytes(32).toString("base64url")}`;
}

/**
 * What is stored of a token. Fit for tokens of 256 random bits only: passwords need a slow hash.
 *
 * @returns 32 bytes
 */
export function hashToken(token: string): Buffer {
  return Buffer.from(hash("sha256", token, "binary"), "binary"); // a third of the time of a hash object
}

/** Compares in a time that does not depend on where two values differ. */
export function equalInConstantTime(a: string | Uint8Array, b: string | Uint8Array): boolean {
  const [left, right] = [a, b].map((value) => createHash("sha256").update(value).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
