import { type PrivacyRequest, privacyErrors } from "@securewave/contracts/privacy";
import type { Database } from "@securewave/database";
import { type Clock, createId, dayOf } from "@securewave/foundation";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Audit } from "../audit/index.ts";
import { type DataKeys, PLACES } from "../data-keys/index.ts";
import * as store from "./store.ts";

export interface RequestsOptions {
  readonly database: Database;
  readonly dataKeys: DataKeys;
  readonly clock: Clock;
  readonly audit: Pick<Audit, "record">;
}

export type Requests = ReturnType<typeof createRequests>;

const OPEN_MAX = 10;

/** What people ask of those who run the service, with the day by which it is to be answered. */
export function createRequests({ database, dataKeys, clock, audit }: RequestsOptions) {
  const { db } = database;
  const today = () => dayOf(clock.now());

  function viewOf({ text_sealed, account_number, ...row }: store.OwnedRequest): PrivacyRequest {
    const isReadable =
      text_sealed !== null && account_number !== null && !dataKeys.isForgotten(account_number);
    const text = isReadable
      ? dataKeys.of(account_number).open(PLACES.requestText, row.id, text_sealed)
      : null;
    return { ...row, text };
  }

  async function list(filter: Parameters<typeof store.listRequests>[1], page: PageRequest) {
    const bounds = boundsOf(page, ["day", "text"]);
    const rows = await store.listRequests(db, filter, bounds);
    return pageOf(rows, bounds, ({ due_on, id }) => [due_on, id], viewOf);
  }

  return {
    /** @throws privacy.too_many_requests */
    async ask(accountId: string, kind: PrivacyRequest["kind"], text?: string): Promise<PrivacyRequest> {
      const number = await dataKeys.numberOf(accountId);
      const id = createId("privacyRequest");
      const row = {
        id,
        account_id: accountId,
        kind,
        state: "open" as const,
        text_sealed: text === undefined ? null : dataKeys.of(number).seal(PLACES.requestText, id, text),
        asked_on: today(),
        due_on: monthAfter(clock.now()),
        closed_on: null,
      };
      if ((await store.countOpenRequests(db, accountId)) >= OPEN_MAX) throw privacyErrors.tooManyRequests();
      await store.insertRequest(db, row);
      return viewOf({ ...row, account_number: number });
    },

    listOwn: (accountId: string, page: PageRequest) => list({ accountId }, page),
    list: (state: PrivacyRequest["state"] | undefined, page: PageRequest) => list({ state }, page),

    /** @throws privacy.request_not_found, privacy.request_closed */
    async close(id: string, outcome: "done" | "refused", actor: string): Promise<PrivacyRequest> {
      await database.transaction(async (trx) => {
        if (!(await store.closeRequest(trx, id, outcome, today())))
          throw (await store.findRequest(trx, id))
            ? privacyErrors.requestClosed()
            : privacyErrors.requestNotFound();
        const details = { request_id: id, outcome };
        await audit.record(trx, { kind: "privacy_request_closed", actor, subject: "service", details });
      });
      const row = await store.findRequest(db, id);
      if (!row) throw privacyErrors.requestNotFound();
      return viewOf(row);
    },
  };
}

/** GDPR Article 12(3): within one month. A month that lacks the day ends with its last one. */
export function monthAfter(nowMs: number): string {
  const now = new Date(nowMs);
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth() + 1];
  const daysInMonth = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return dayOf(Date.UTC(year, month, Math.min(now.getUTCDate(), daysInMonth)));
}
