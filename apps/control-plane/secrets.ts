import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { defineErrors, invariant } from "@securewave/foundation";
import { createSecret, type Secret } from "@securewave/foundation/secret";
import type { Config } from "./config.ts";
import { writeSecretFile } from "./secret-file.ts";

const secretErrors = defineErrors("secrets", {
  missing: {
    status: 500,
    message:
      "The store is there but a key that belongs to it is gone: restore the secrets folder from a backup.",
  },
});

export interface Secrets {
  /** The first key that signs access tokens; what must outlive every rotation is derived from it. */
  readonly jwtSecret: Secret;
  /** Seals the ring of encryption keys; 32 bytes. */
  readonly masterKey: Uint8Array;
  /** What sealed the ring before, while that may still be the case. */
  readonly previousMasterKey?: Uint8Array;
}

const NAMES = ["jwt-secret", "master-key"] as const;

/**
 * Takes the service's secrets from the configuration; beside an embedded store, those not configured are
 * generated once and kept in files that only their owner can read.
 *
 * @param isStoreNew a store that exists already must not get fresh keys: its sealed data would be lost
 * @throws secrets.missing
 */
export async function loadSecrets(config: Config, isStoreNew: boolean): Promise<Secrets> {
  const dir = join(config.store.dir, "secrets");
  const [jwtName, masterName] = NAMES;
  const jwtSecret = config.sessions.jwtSecret ?? (await loadOrCreate(dir, jwtName, true));
  const masterKey = config.masterKey ?? (await loadOrCreate(dir, masterName, isStoreNew));
  const { previousMasterKey: previous } = config;
  return {
    jwtSecret,
    masterKey: bytesOf(masterKey),
    ...(previous === undefined ? {} : { previousMasterKey: bytesOf(previous) }),
  };
}

function bytesOf(masterKey: Secret): Uint8Array {
  const key = Buffer.from(masterKey.reveal(), "base64");
  invariant(key.length === 32, "a master key is 32 bytes in base64");
  return key;
}

async function loadOrCreate(dir: string, name: (typeof NAMES)[number], mayCreate: boolean): Promise<Secret> {
  const path = join(dir, name);
  if (existsSync(path)) return createSecret((await readFile(path, "utf8")).trim());
  if (!mayCreate) throw secretErrors.missing({ detail: `${secretErrors.missing.message} Missing: ${path}` });
  const text = randomBytes(32).toString("base64");
  await writeSecretFile(path, text);
  return createSecret(text);
}
