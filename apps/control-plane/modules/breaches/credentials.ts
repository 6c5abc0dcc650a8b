import type { Credential } from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import { rangeOf } from "@securewave/live";
import type { Kysely } from "kysely";
import type { Accounts } from "../accounts/index.ts";
import type { ApiKeys } from "../api-keys/index.ts";
import type { KeyRings } from "../key-rings/index.ts";
import type { Nodes } from "../nodes/index.ts";
import type { Sessions } from "../sessions/index.ts";

export interface CredentialsOptions {
  readonly database: Database;
  readonly sessions: Pick<Sessions, "endEverybody">;
  readonly accounts: Pick<Accounts, "endLinks">;
  readonly apiKeys: Pick<ApiKeys, "endEverybody">;
  readonly keyRings: Pick<KeyRings, "list" | "rotateSigningKeys" | "rotateMasterKeys">;
  readonly nodes: Pick<Nodes, "renewal">;
}

/** Who asks, and by which log-in: that one alone is spared. */
export interface Asking {
  readonly accountId: string;
  readonly credentialId: string;
}

export interface Ended {
  /** For the timeline, which stays: of what people did lately, how much there was is told in ranges. */
  readonly detail: string;
  /** Once the transaction has committed. */
  readonly announce?: () => void;
}

type End = (trx: Kysely<Tables>, asking: Asking) => Promise<Ended>;

/** Ends the service's credentials, each kind at its own place. */
export function createCredentials(options: CredentialsOptions) {
  const { database, sessions, accounts, apiKeys, keyRings, nodes } = options;

  /** What ends within the transaction that writes it down. */
  const within: Partial<Record<Credential, End>> = {
    async sessions(trx, { accountId, credentialId }) {
      const { count, announce } = await sessions.endEverybody(trx, accountId, credentialId);
      return {
        detail: `${rangeOf(count)} log-ins ended; the one from which this was asked goes on`,
        announce,
      };
    },
    async links(trx) {
      return { detail: `${rangeOf(await accounts.endLinks(trx))} links from mails ended` };
    },
    async api_keys(trx) {
      const { count, announce } = await apiKeys.endEverybody(trx);
      return { detail: `${count} API keys ended`, announce };
    },
    async nodes(trx) {
      const { count, announce } = await nodes.renewal.ask(trx);
      return { detail: `nodes that were asked for another credential: ${count}`, announce };
    },
    async late_nodes(trx, { accountId }) {
      const { count, announce } = await nodes.renewal.endLate(trx, accountId);
      return { detail: `the credentials of ${count} nodes ended that had made no other one`, announce };
    },
  };
  /** What has transactions of its own, since all processes must hear of a key before it is at work. */
  const beyond: Partial<Record<Credential, (asking: Asking) => Promise<Ended>>> = {
    async signing({ accountId }) {
      await keyRings.rotateSigningKeys(accountId, { endsFormer: true });
      return { detail: "a new key signs access tokens; what any former one signed is refused" };
    },
    async encryption({ accountId }) {
      await keyRings.rotateMasterKeys(accountId);
      return { detail: "a new key seals what is secret in the store, and all is being sealed anew" };
    },
  };

  return {
    within,
    beyond,

    /** What goes on by itself. */
    async waiting(): Promise<{ nodes: string[]; secrets: number }> {
      const { encryption } = await keyRings.list();
      const former = encryption.filter(({ state }) => state !== "sealing");
      return {
        nodes: await nodes.renewal.late(),
        secrets: former.reduce((sum, { sealed }) => sum + sealed, 0),
      };
    },

    /** Credentials that stand in the configuration, where the service cannot change them. */
    byHand(): string[] {
      return [
        "MASTER_KEY: set a new one, with the present one as MASTER_KEY_PREVIOUS, and restart every process; securewave keys root tells how far it is",
        "JWT_SECRET: set a new one and restart every process; codes and tags that are derived from it change with it",
        database.kind === "embedded"
          ? "The database: none; the embedded store has no password, only a socket in a folder of the service's own"
          : "The database: alter the passwords of its roles, then DATABASE_URL and those like it, and restart every process; with Vault, revoke the leases instead",
        "SMTP_URL, REDIS_URL and the key of the backups: where they hold a password, change it there and here",
      ];
    },
  };
}
