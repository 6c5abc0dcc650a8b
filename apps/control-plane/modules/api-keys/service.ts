import { type ApiKey, apiKeyErrors, type Role, type Scope } from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import { type Clock, DAY_MS, dayOf } from "@securewave/foundation";
import { createApiKey, createApiKeyVerifier } from "@securewave/sentinel/api-keys";
import type { Kysely } from "kysely";
import { type Bus, EVERYBODY } from "../../bus.ts";
import type { Caller } from "../../http/caller.ts";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Notify } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import { type DataKeys, PLACES } from "../data-keys/index.ts";
import { scopesOf, viewOf } from "./api-key.ts";
import * as store from "./store.ts";

export interface ApiKeysOptions {
  readonly database: Database;
  readonly dataKeys: DataKeys;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Pick<Audit, "record">;
  /** Tells the owner by mail; within the same transaction. */
  readonly notify: Notify;
  /** The rotation policy: no key lives longer. */
  readonly daysMax: number;
}

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresInDays: number;
  readonly requestsPerMinute: number;
}

interface Holder {
  readonly id: string;
  readonly accountId: string;
  readonly role: Role;
  readonly scopes: readonly Scope[];
  readonly requestsPerMinute: number;
}

export type ApiKeys = ReturnType<typeof createApiKeys>;

const KEYS_PER_ACCOUNT_MAX = 50;
/** Long enough to carry a new text to every place that uses the old one. */
const OVERLAP_DAYS = 1;

export function createApiKeys(options: ApiKeysOptions) {
  const { database, dataKeys, clock, bus, audit, notify, daysMax } = options;
  const { db } = database;
  const today = () => dayOf(clock.now());
  const dayIn = (days: number) => dayOf(clock.now() + days * DAY_MS);
  const verifier = createApiKeyVerifier<Holder>({ find, clock });
  bus.subscribe(
    "sessions-changed",
    (changed) =>
      verifier.forget(
        ({ id, accountId }) => changed === EVERYBODY || id === changed || accountId === changed,
      ),
    () => verifier.forget(() => true),
  );

  /** What a presented key is compared with, and whom it acts for. */
  async function find(id: string) {
    const row = await store.findUsable(db, id, today());
    if (!row) return undefined;
    const { account_id: accountId, role, requests_per_minute: requestsPerMinute } = row;
    const accepted = [{ hash: row.hash, untilMs: endOf(row.expires_on) }];
    if (row.previous_hash && row.previous_until)
      accepted.push({ hash: row.previous_hash, untilMs: endOf(row.previous_until) });
    return { holder: { id, accountId, role, scopes: scopesOf(row.scopes), requestsPerMinute }, accepted };
  }

  return {
    async list(accountId: string, page: PageRequest) {
      const bounds = boundsOf(page, ["text"]);
      const rows = await store.listApiKeysOf(db, accountId, today(), bounds);
      const key = await dataKeys.ofAccount(accountId);
      return pageOf(
        rows,
        bounds,
        ({ id }) => [id],
        (row) => viewOf(row, key),
      );
    },

    /**
     * Makes a key. Its text is known to the caller alone: a hash of it is kept.
     *
     * @throws api_keys.too_many, api_keys.too_long
     */
    async create(accountId: string, input: NewApiKey): Promise<ApiKey & { text: string }> {
      if (input.expiresInDays > daysMax)
        throw apiKeyErrors.tooLong({ detail: `API keys of this service end after ${daysMax} days at most.` });
      const made = createApiKey();
      const key = await dataKeys.ofAccount(accountId);
      return database.transaction(async (trx) => {
        const count = await store.countApiKeysOf(trx, accountId, today());
        if (count >= KEYS_PER_ACCOUNT_MAX) throw apiKeyErrors.tooMany();
        const row = await store.insertApiKey(trx, {
          id: made.id,
          account_id: accountId,
          name_sealed: key.seal(PLACES.apiKeyName, made.id, input.name),
          hash: made.hash,
          scopes: [...input.scopes],
          requests_per_minute: input.requestsPerMinute,
          created_on: today(),
          expires_on: dayIn(input.expiresInDays),
        });
        const details = { key_id: row.id, scopes: input.scopes };
        await audit.record(trx, { kind: "api_key_created", actor: accountId, subject: accountId, details });
        await notify(trx, accountId, "api_key_created");
        return { ...viewOf(row, key), text: made.text };
      });
    },

    /** @throws api_keys.not_found */
    async rotate(accountId: string, id: string): Promise<ApiKey & { text: string }> {
      const made = createApiKey(id);
      const key = await dataKeys.ofAccount(accountId);
      const rotated = await database.transaction(async (trx) => {
        const change = { accountId, id, hash: made.hash, today: today(), previousUntil: dayIn(OVERLAP_DAYS) };
        const row = await store.rotateApiKey(trx, change);
        if (!row) throw apiKeyErrors.notFound();
        const details = { key_id: id, scopes: scopesOf(row.scopes) };
        await audit.record(trx, { kind: "api_key_rotated", actor: accountId, subject: accountId, details });
        return row;
      });
      bus.publish("sessions-changed", id);
      return { ...viewOf(rotated, key), text: made.text };
    },

    /** @throws api_keys.not_found */
    async revoke(accountId: string, id: string): Promise<void> {
      await database.transaction(async (trx) => {
        const row = await store.deleteApiKeyOf(trx, accountId, id);
        if (!row) throw apiKeyErrors.notFound();
        const details = { key_id: id, scopes: scopesOf(row.scopes) };
        await audit.record(trx, { kind: "api_key_revoked", actor: accountId, subject: accountId, details });
      });
      bus.publish("sessions-changed", id);
    },

    /**
     * Ends every key of everybody.
     *
     * @returns how many, and what tells all processes once the transaction has committed
     */
    async endEverybody(trx: Kysely<Tables>) {
      const count = await store.deleteAllApiKeys(trx);
      return { count, announce: () => bus.publish("sessions-changed", EVERYBODY) };
    },

    async deleteExpired(): Promise<void> {
      await store.deleteExpiredApiKeys(db, today());
    },

    /** @returns undefined for text that is no API key of ours, or of one that has ended */
    identify(text: string): Caller | undefined | Promise<Caller | undefined> {
      const holder = verifier.verify(text);
      return holder instanceof Promise ? holder.then(callerOf) : callerOf(holder);
    },
  };
}

function callerOf(holder: Holder | undefined): Caller | undefined {
  if (!holder) return undefined;
  const { id, accountId, role, scopes, requestsPerMinute } = holder;
  return { accountId, role, credentialId: id, apiKey: { scopes, requestsPerMinute } };
}

/** The first instant after a day. */
function endOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) + DAY_MS;
}
