import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Tables } from "@securewave/database";
import { invariant } from "@securewave/foundation";
import { deriveKey } from "@securewave/foundation/derive";
import type { Envelope } from "@securewave/foundation/envelope";
import type { Kysely } from "kysely";

/** An Ed25519 key of the service itself, shared by all its processes. */
export interface ServiceKey {
  readonly privateKey: KeyObject;
  /** 32 bytes in base64url. */
  readonly publicKey: string;
  /** 32 bytes for one purpose, the same in all processes. */
  derive(purpose: string): Buffer;
}

/**
 * `control-plane` is what nodes pin, `access-token` signs JWTs under EdDSA, `audit-trail` signs checkpoints, `zero-log`
 * signs reports, `drills` what drills measured.
 */
export type ServiceKeyName = "control-plane" | "access-token" | "audit-trail" | "zero-log" | "drills";

/** Loads a key, making it at first use; processes that start together agree on one. */
export async function loadServiceKey(
  db: Kysely<Tables>,
  envelope: Envelope,
  name: ServiceKeyName,
): Promise<ServiceKey> {
  const context = `service key ${name}`;
  const select = db.selectFrom("service_keys").selectAll().where("name", "=", name);
  const stored = await select.executeTakeFirst();
  if (!stored) {
    const { privateKey, publicKey: public_key } = serviceKeyOf(generateKeyPairSync("ed25519").privateKey);
    const row = { name, public_key, sealed_private_key: envelope.seal(pemOf(privateKey), context) };
    await db
      .insertInto("service_keys")
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  const { sealed_private_key } = stored ?? (await select.executeTakeFirstOrThrow());
  return serviceKeyOf(createPrivateKey(envelope.open(sealed_private_key, context)));
}

export function serviceKeyOf(privateKey: KeyObject): ServiceKey {
  const { x } = privateKey.export({ format: "jwk" });
  invariant(x, "an Ed25519 key has an x");
  return { privateKey, publicKey: x, derive: (purpose) => deriveKey(secretOf(privateKey), purpose) };
}

/** The 32 bytes of which the key is made. */
function secretOf(privateKey: KeyObject): Buffer {
  const { d } = privateKey.export({ format: "jwk" });
  invariant(d, "an Ed25519 private key has a d");
  return Buffer.from(d, "base64url");
}

function pemOf(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}
