import { readFile } from "node:fs/promises";
import { createSecret, type Secret } from "@securewave/foundation/secret";
import { type DatabaseLease, leaseDatabase } from "./database-lease.ts";
import { vaultErrors } from "./errors.ts";
import { openSession, type VaultLogin } from "./session.ts";
import { createTransport, isObject } from "./transport.ts";

const TIMEOUT_MS = 5_000;

export interface VaultOptions {
  /** `https://vault.example.org:8200` */
  readonly address: string;
  readonly login: VaultLogin;
  readonly namespace?: string | undefined;
  /** A file of certificates in PEM that are trusted in place of the system's. */
  readonly caCertificatesPath?: string | undefined;
  /** For one attempt; a call makes four at most. */
  readonly timeoutMs?: number;
  /** Hears what goes wrong in the background, such as a renewal; it is tried again. */
  readonly onTrouble?: (error: unknown) => void;
}

/** A version of a secret of the KV engine, version 2. */
export interface KvSecret {
  /** Fields that hold a text; others are left out. */
  readonly fields: ReadonlyMap<string, Secret>;
  readonly version: number;
  /** As Vault writes it: `2018-03-22T02:24:06.945319214Z`. */
  readonly createdAt: string;
  readonly customMetadata: Readonly<Record<string, string>>;
}

/** A HashiCorp Vault or OpenBao. */
export interface Vault {
  /**
   * Reads a secret of the KV engine, version 2.
   *
   * @param path with the engine's mount and `data`: `secret/data/securewave`
   * @param version the latest where none is given
   * @throws vault.denied, vault.not_found also for a deleted version, and what every call throws
   */
  readKv(path: string, version?: number): Promise<KvSecret>;
  /**
   * Leases a login of a database.
   *
   * @param mount of the database engine
   * @throws vault.denied, vault.not_found, and what every call throws
   */
  leaseDatabase(role: string, mount?: string): Promise<DatabaseLease>;
  /** Gives back what is leased, and the token where the client got it by itself. */
  close(): Promise<void>;
}

/**
 * Connects to Vault and logs in.
 *
 * @throws vault.unreachable, vault.sealed, vault.unavailable, vault.login_refused, vault.file_unreadable
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const { address, login, namespace, caCertificatesPath, timeoutMs = TIMEOUT_MS } = options;
  const onTrouble = options.onTrouble ?? (() => {});
  const caCertificates = await readCertificates(caCertificatesPath);
  const send = createTransport({ address, namespace, caCertificates, timeoutMs });
  const session = await openSession(send, login, onTrouble);
  const leases: DatabaseLease[] = [];
  return {
    async readKv(path, version) {
      const query = version === undefined ? {} : { query: { version: String(version) } };
      const answer = await session.call({ method: "GET", path: pathOf(path), ...query });
      const { data } = answer;
      if (!isObject(data) || !isObject(data.data) || !isObject(data.metadata)) {
        throw vaultErrors.unexpected({
          detail: `There is no secret of the KV engine, version 2, at ${path}. Is "data" part of the path?`,
        });
      }
      const texts = Object.entries(data.data).filter(
        (field): field is [string, string] => typeof field[1] === "string",
      );
      return {
        fields: new Map(texts.map(([name, value]) => [name, createSecret(value)])),
        version: Number(data.metadata.version),
        createdAt: String(data.metadata.created_time),
        customMetadata: isObject(data.metadata.custom_metadata)
          ? Object.fromEntries(
              Object.entries(data.metadata.custom_metadata).map(([name, value]) => [name, String(value)]),
            )
          : {},
      };
    },
    async leaseDatabase(role, mount = "database") {
      const lease = await leaseDatabase(session, pathOf(`${mount}/creds/${role}`), onTrouble);
      leases.push(lease);
      return lease;
    },
    async close() {
      await Promise.all(leases.map((lease) => lease.close()));
      await session.close();
    },
  };
}

/** Each part is written so that it can be nothing but a name. */
function pathOf(path: string): string {
  const parts = path.split("/");
  if (parts.some((part) => /^\.*$/.test(part))) {
    throw vaultErrors.refused({ detail: `This is no path of Vault: ${path}` });
  }
  return parts.map(encodeURIComponent).join("/");
}

async function readCertificates(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  return readFile(path, "utf8").catch(() => {
    throw vaultErrors.fileUnreadable({ detail: `The file of VAULT_CACERT cannot be read: ${path}` });
  });
}
