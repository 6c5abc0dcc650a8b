import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Tables } from "@securewave/database";
import { invariant } from "@securewave/foundation";
import type { Envelope } from "@securewave/foundation/envelope";
import type { Kysely } from "kysely";

/** An Ed25519 key of the service itself, shared by all its processes. */
export interface ServiceKey {
  readonly privateKey: KeyObject;
  /** 32 bytes in base64url. */
  readonly publicKey: string;
}

/**
 * `control-plane` is what nodes pin, `access-token` signs JWTs under EdDSA, `audit-trail` signs checkpoints, `zero-log`
 * signs reports.
 */
export type ServiceKeyName = "control-plane" | "access-token" | "audit-trail" | "zero-log";

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
    const fresh = generateKeyPairSync("ed25519");
    const { x } = fresh.publicKey.export({ format: "jwk" });
    invariant(x, "an Ed25519 public key has an x");
    const row = { name, public_key: x, sealed_private_key: envelope.seal(pemOf(fresh.privateKey), context) };
    await db
      .insertInto("service_keys")
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  const { public_key: publicKey, sealed_private_key: sealed } =
    stored ?? (await select.executeTakeFirstOrThrow());
  return { publicKey, privateKey: createPrivateKey(envelope.open(sealed, context)) };
}

function pemOf(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}
