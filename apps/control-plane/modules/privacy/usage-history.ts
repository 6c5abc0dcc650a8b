import { privacyErrors, USAGE_HISTORY_TEXT, type UsageDay } from "@securewave/contracts/privacy";
import { type Database, isUniqueViolation, type Tables } from "@securewave/database";
import { type Clock, createId, dayOf } from "@securewave/foundation";
import type { Kysely } from "kysely";
import type { Bus } from "../../bus.ts";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Audit } from "../audit/index.ts";
import { type DataKeys, PLACES } from "../data-keys/index.ts";
import * as store from "./store.ts";

export interface UsageHistoryOptions {
  readonly database: Database;
  readonly dataKeys: DataKeys;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Pick<Audit, "record">;
}

export type UsageHistory = ReturnType<typeof createUsageHistory>;

const PURPOSE = "usage_history";
const BATCH_ROWS = 1_000;
const NUMBER_TRIES = 5;

/** What those used each day who want it kept: sealed under a key of its own, which can be destroyed by itself. */
export function createUsageHistory({ database, dataKeys, clock, bus, audit }: UsageHistoryOptions) {
  const { db } = database;
  const today = () => dayOf(clock.now());

  async function give(accountId: string): Promise<void> {
    await database.transaction(async (trx) => {
      const isNew = await store.insertConsent(trx, {
        id: createId("consent"),
        account_id: accountId,
        purpose: PURPOSE,
        text_version: USAGE_HISTORY_TEXT.version,
        given_on: today(),
        number: dataKeys.newPartNumber(),
      });
      if (!isNew) return;
      const details = { purpose: PURPOSE } as const;
      await audit.record(trx, { kind: "consent_given", actor: accountId, subject: accountId, details });
    });
  }

  return {
    /** The consent that holds. */
    find: (accountId: string) => store.findConsent(db, accountId, PURPOSE),

    /** @throws privacy.text_changed when another text was shown */
    async switchOn(accountId: string, textVersion: string): Promise<void> {
      if (textVersion !== USAGE_HISTORY_TEXT.version) throw privacyErrors.textChanged();
      for (let tries = 1; ; tries++) {
        try {
          return await give(accountId);
        } catch (error) {
          if (tries === NUMBER_TRIES || !isUniqueViolation(error, "consents_number_key")) throw error;
        }
      }
    },

    /** Deletes what was kept, and destroys the key of it, so that no backup of it opens. */
    async switchOff(accountId: string): Promise<void> {
      await database.transaction(async (trx) => {
        const number = await store.withdrawConsent(trx, accountId, PURPOSE, today());
        if (number === undefined) return;
        await dataKeys.recordErased(trx, [number], today());
        await store.deleteUsageDays(trx, accountId);
        const details = { purpose: PURPOSE } as const;
        await audit.record(trx, { kind: "consent_withdrawn", actor: accountId, subject: accountId, details });
      });
      await dataKeys.forgetErased();
      bus.publish("keys-erased", "");
    },

    /** The newest first. */
    async list(
      accountId: string,
      page: PageRequest,
    ): Promise<{ items: UsageDay[]; next_cursor: string | null }> {
      const bounds = boundsOf(page, ["day"]);
      const consent = await store.findConsent(db, accountId, PURPOSE);
      if (!consent || consent.number === null) return { items: [], next_cursor: null };
      const key = dataKeys.of(consent.number);
      return pageOf(
        await store.listUsageDays(db, accountId, bounds),
        bounds,
        ({ day }) => [day],
        ({ day, mebibytes_sealed }) => ({
          day,
          mebibytes: Number(key.open(PLACES.usageDay, `${accountId} ${day}`, mebibytes_sealed)),
        }),
      );
    },

    /**
     * Writes a day for everybody who wants it, whether anything was used or not. For the ledger's daily flush, within
     * its transaction: nothing else may write here.
     *
     * @param day the one that is over
     * @param mebibytesOf what an account used on that day, in whole MiB
     */
    async writeDay(
      trx: Kysely<Tables>,
      day: string,
      mebibytesOf: (accountId: string) => number,
    ): Promise<void> {
      let after = "";
      for (let isMore = true; isMore; ) {
        const consents = await store.holdPresentConsents(trx, PURPOSE, after, BATCH_ROWS);
        const rows = consents.flatMap(({ account_id, number }) => {
          if (number === null || dataKeys.isForgotten(number)) return [];
          const text = String(mebibytesOf(account_id));
          const sealed = dataKeys.of(number).seal(PLACES.usageDay, `${account_id} ${day}`, text);
          return [{ account_id, day, mebibytes_sealed: sealed }];
        });
        await store.insertUsageDays(trx, rows);
        isMore = consents.length === BATCH_ROWS;
        after = consents.at(-1)?.id ?? after;
      }
    },

    /** Ends consents that a restored backup has brought back, but whose keys are destroyed. For each start. */
    async replay(): Promise<void> {
      let after = "";
      for (let isMore = true; isMore; ) {
        const consents = await store.listPresentConsents(db, PURPOSE, after, BATCH_ROWS);
        for (const { account_id, number } of consents) {
          if (number === null || !dataKeys.isForgotten(number)) continue;
          await database.transaction(async (trx) => {
            await store.withdrawConsent(trx, account_id, PURPOSE, today());
            await dataKeys.recordErased(trx, [number], today());
            await store.deleteUsageDays(trx, account_id);
          });
        }
        isMore = consents.length === BATCH_ROWS;
        after = consents.at(-1)?.id ?? after;
      }
    },
  };
}
