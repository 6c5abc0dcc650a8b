import { createHmac, timingSafeEqual } from "node:crypto";
import { type EntryBody, leafOf, SALT_BYTES } from "@securewave/audit-trail";
import { deriveKey } from "@securewave/foundation/derive";
import type { ServiceKey } from "../service-keys/index.ts";

export type QueueSeal = ReturnType<typeof createQueueSeal>;

/**
 * Tells acts that the service put into the queue from those that somebody else put there who has the database: such
 * an act could say that entries were archived which he has erased.
 */
export function createQueueSeal({ privateKey }: ServiceKey) {
  const key = deriveKey(privateKey.export({ format: "der", type: "pkcs8" }), "audit queue");
  const codeOf = (salt: Buffer, body: EntryBody) =>
    createHmac("sha256", key)
      .update(leafOf(0, salt, body))
      .digest();
  return {
    /** @returns the salt, and behind it a code over salt and body */
    seal: (salt: Buffer, body: EntryBody): Buffer => Buffer.concat([salt, codeOf(salt, body)]),

    /** @returns the salt; undefined for what the service has not sealed */
    open(sealed: Buffer, body: EntryBody): Buffer | undefined {
      const salt = sealed.subarray(0, SALT_BYTES);
      const code = codeOf(salt, body);
      const given = sealed.subarray(SALT_BYTES);
      return given.length === code.length && timingSafeEqual(given, code) ? salt : undefined;
    },
  };
}
