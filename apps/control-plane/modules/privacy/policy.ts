import { privacyErrors } from "@securewave/contracts/privacy";
import type { Database, Tables } from "@securewave/database";
import { type Clock, dayOf } from "@securewave/foundation";
import type { Kysely } from "kysely";
import * as store from "./store.ts";

export interface PolicyOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** Of the privacy policy that holds today. */
  readonly version: string;
}

export type Policy = ReturnType<typeof createPolicy>;

/** Who agreed to which version of the operator's privacy policy. */
export function createPolicy({ database: { db }, clock, version }: PolicyOptions) {
  return {
    async show(accountId: string) {
      const [last] = await store.listAgreements(db, accountId);
      return { version, agreed_version: last?.version ?? null, agreed_on: last?.agreed_on ?? null };
    },

    listAgreements: (accountId: string) => store.listAgreements(db, accountId),

    /**
     * Notes what whoever registers agreed to; it is nothing where that was not the present policy. While the account
     * is not confirmed its last registration counts; one that is confirmed is left alone.
     */
    async noteRegistration(
      trx: Kysely<Tables>,
      accountId: string,
      shownVersion: string | undefined,
    ): Promise<void> {
      const agreed_on = dayOf(clock.now());
      await store.deleteUnconfirmedAgreements(trx, accountId);
      await store.insertUnconfirmedAgreement(
        trx,
        { account_id: accountId, version, agreed_on },
        shownVersion,
      );
    },

    /** @throws privacy.text_changed when it is not the present one that was shown */
    async agree(accountId: string, shownVersion: string): Promise<void> {
      if (shownVersion !== version) throw privacyErrors.textChanged();
      await store.insertAgreement(db, { account_id: accountId, version, agreed_on: dayOf(clock.now()) });
    },
  };
}
