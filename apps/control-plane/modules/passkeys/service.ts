import { type Passkey, passkeyErrors, sessionErrors } from "@securewave/contracts";
import { type Database, isUniqueViolation, type Tables } from "@securewave/database";
import { type Clock, createId, dayOf } from "@securewave/foundation";
import type { Kysely } from "kysely";
import type { LogInGuard } from "../../log-in-guard.ts";
import type { Account, Accounts, Notify } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import { type AccountKey, type DataKeys, PLACES } from "../data-keys/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import { createPasskeyChallenges } from "./challenges.ts";
import * as store from "./store.ts";
import { createWebauthn, type Json, type KnownCredential } from "./webauthn.ts";

export interface PasskeysOptions {
  readonly database: Database;
  readonly dataKeys: DataKeys;
  readonly clock: Clock;
  readonly accounts: Accounts;
  readonly audit: Pick<Audit, "record">;
  readonly settings: SettingsStore;
  /** Tells the owner by mail; within the same transaction. */
  readonly notify: Notify;
  readonly guard: Pick<LogInGuard, "attempt">;
  /** Signs challenges; 32 bytes. */
  readonly key: Uint8Array;
  /** Where the console is; its host is what passkeys are bound to. */
  readonly publicUrl: string;
}

export type Passkeys = ReturnType<typeof createPasskeys>;

const PASSKEYS_MAX = 20;
const LOG_IN = "log-in";

/** Passkeys that stand for password and second factor: the device checks its user. @see https://www.w3.org/TR/webauthn-3/ */
export function createPasskeys(options: PasskeysOptions) {
  const { database, dataKeys, clock, accounts, audit, settings, notify, guard, publicUrl } = options;
  const { db } = database;
  const challenges = createPasskeyChallenges(options.key, clock);
  const webauthn = createWebauthn({ publicUrl, takeChallenge: challenges.take });

  /** @returns whether the one who answered holds the passkey, and nobody holds a copy of it */
  async function isProved(response: Json, row: store.PasskeyRow): Promise<boolean> {
    const counter = await webauthn.verifyLogIn(response, LOG_IN, credentialOf(row));
    return counter !== undefined && store.raiseCounter(db, row.id, Number(row.counter), counter);
  }

  return {
    async list(accountId: string): Promise<{ items: Passkey[] }> {
      const key = await dataKeys.ofAccount(accountId);
      return { items: (await store.listPasskeysOf(db, accountId)).map((row) => viewOf(row, key)) };
    },

    /** @throws passkeys.too_many */
    async begin({ id, email }: Account): Promise<Json> {
      const present = await store.listPasskeysOf(db, id);
      if (present.length >= PASSKEYS_MAX) throw passkeyErrors.tooMany();
      const { service_name: rpName } = await settings.read();
      const challenge = challenges.issue(`add ${id}`);
      return webauthn.registrationOptions({ id, email }, rpName, challenge, present.map(credentialOf));
    },

    /** @throws passkeys.refused, passkeys.known, passkeys.too_many */
    async add(accountId: string, name: string, response: Json): Promise<Passkey> {
      const made = await webauthn.verifyRegistration(response, `add ${accountId}`);
      if (!made) throw passkeyErrors.refused();
      const key = await dataKeys.ofAccount(accountId);
      const id = createId("passkey");
      return database.transaction(async (trx) => {
        await store.lockAccount(trx, accountId);
        if ((await store.listPasskeysOf(trx, accountId)).length >= PASSKEYS_MAX)
          throw passkeyErrors.tooMany();
        const row = await store
          .insertPasskey(trx, {
            id,
            account_id: accountId,
            credential_id: made.id,
            public_key: made.publicKey,
            counter: made.counter,
            transports: made.transports,
            name_sealed: key.seal(PLACES.passkeyName, id, name),
            is_synced: made.isSynced,
            created_on: dayOf(clock.now()),
          })
          .catch((error: unknown) => {
            throw isUniqueViolation(error, "passkeys_credential_id_key") ? passkeyErrors.known() : error;
          });
        await audit.record(trx, { kind: "passkey_added", actor: accountId, subject: accountId });
        await notify(trx, accountId, "passkey_added");
        return viewOf(row, key);
      });
    },

    /** @throws passkeys.not_found */
    async rename(accountId: string, id: string, name: string): Promise<Passkey> {
      const key = await dataKeys.ofAccount(accountId);
      const sealed = key.seal(PLACES.passkeyName, id, name);
      const row = await store.renamePasskey(db, accountId, id, sealed);
      if (!row) throw passkeyErrors.notFound();
      return viewOf(row, key);
    },

    /** @throws passkeys.not_found */
    async remove(accountId: string, id: string): Promise<void> {
      await database.transaction(async (trx) => {
        if (!(await store.deletePasskey(trx, accountId, id))) throw passkeyErrors.notFound();
        await audit.record(trx, { kind: "passkey_removed", actor: accountId, subject: accountId });
        await notify(trx, accountId, "passkey_removed");
      });
    },

    removeAll: (trx: Kysely<Tables>, accountId: string) => store.deletePasskeysOf(trx, accountId),

    /** The browser shows the passkeys that it has for this service: nobody is asked who they are. */
    createLogInOptions: (): Promise<Json> => webauthn.logInOptions(challenges.issue(LOG_IN)),

    /**
     * Failures are counted for the passkey, not for its account: nobody keeps an owner from the password by them.
     *
     * @throws sessions.wrong_credentials, sessions.locked, sessions.email_unverified, sessions.account_suspended
     */
    async logIn(response: Json, origin: string): Promise<Account> {
      const id = typeof response.id === "string" ? response.id : "";
      const passkey = await store.findByCredential(db, Buffer.from(id, "base64url"));
      const attempt = {
        tried: `passkey ${id}`,
        accountId: passkey?.account_id,
        origin,
        method: "passkey",
      } as const;
      return guard.attempt(attempt, async () => {
        if (!passkey || !(await isProved(response, passkey))) throw sessionErrors.wrongCredentials();
        const account = await accounts.get(passkey.account_id);
        if (account.state === "unverified") throw sessionErrors.emailUnverified();
        if (account.state === "suspended") throw sessionErrors.accountSuspended();
        return account;
      });
    },
  };
}

function credentialOf(row: store.PasskeyRow): KnownCredential {
  const { credential_id: id, public_key: publicKey, counter, transports, account_id: accountId } = row;
  return { id, publicKey, counter: Number(counter), transports, accountId };
}

function viewOf({ id, name_sealed, is_synced, created_on }: store.PasskeyRow, key: AccountKey): Passkey {
  return { id, name: key.open(PLACES.passkeyName, id, name_sealed), is_synced, created_on };
}
