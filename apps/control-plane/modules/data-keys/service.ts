import { randomInt } from "node:crypto";
import type { Database, Tables } from "@securewave/database";
import type { PuncturableFile } from "@securewave/forgetting";
import type { Kysely } from "kysely";
import { type AccountKey, createAccountKey, dataKeyErrors } from "./account-key.ts";
import { createRecentKeys } from "./recent-keys.ts";
import * as store from "./store.ts";

/** A function of numbers from which single values can be erased for good. */
export type ForgettingKeys = Pick<PuncturableFile, "keyOf" | "isErased" | "erase">;

export interface DataKeysOptions {
  readonly database: Database;
  readonly keys: ForgettingKeys;
}

export type DataKeys = ReturnType<typeof createDataKeys>;

/** Accounts have the lower half of the numbers. */
const ACCOUNT_NUMBERS = 2 ** 31;
/** Keys of something within an account that can be forgotten by itself have the upper half but its end. */
const PART_NUMBERS_END = 2 ** 32 - 256;
/** Belongs to nobody: by its key mail addresses are found, and key files told apart. */
const SERVICE_NUMBER = 2 ** 32 - 1;
const NUMBERS_KEPT_MAX = 10_000;

/** Keys of what accounts own. They come from a file that no backup reads; see docs/data-keys.md. */
export function createDataKeys({ database, keys }: DataKeysOptions) {
  const recent = createRecentKeys(keys);
  const service = keyOf(SERVICE_NUMBER);
  /** Of accounts that were asked for lately. Numbers never change. */
  const numbers = new Map<string, number>();

  /** @throws data_keys.forgotten */
  function keyOf(number: number): AccountKey {
    const key = recent.of(number);
    if (!key) throw dataKeyErrors.forgotten();
    return key;
  }

  function remember(accountId: string, number: number): number {
    if (numbers.size >= NUMBERS_KEPT_MAX) numbers.clear();
    numbers.set(accountId, number);
    return number;
  }

  async function numberOf(accountId: string, db: Kysely<Tables> = database.db): Promise<number> {
    const known = numbers.get(accountId) ?? (await store.findNumber(db, accountId));
    if (known === undefined) throw dataKeyErrors.forgotten();
    return remember(accountId, known);
  }

  function unusedNumber(from: number, end: number): number {
    for (;;) {
      const number = randomInt(from, end);
      if (!keys.isErased(number)) return number;
    }
  }

  return {
    /** The key of a number. @throws data_keys.forgotten */
    of: keyOf,
    /** The key of an account. @throws data_keys.forgotten, also where there is no such account */
    ofAccount: async (accountId: string, db?: Kysely<Tables>) => keyOf(await numberOf(accountId, db)),
    numberOf,
    /** A number for a new account. That no other has it is for the table to say. */
    newNumber: () => unusedNumber(0, ACCOUNT_NUMBERS),
    /** A number for a part of an account that can be forgotten by itself. */
    newPartNumber: () => unusedNumber(ACCOUNT_NUMBERS, PART_NUMBERS_END),
    isForgotten: keys.isErased,
    /** By which an account is found from its mail address. */
    emailIndex: (email: string) => service.index("accounts.email", email),

    /** Writes down whose keys are to be destroyed; `forgetErased` does it once this is committed. */
    recordErased: store.insertErasures,

    /**
     * Forgets the keys of all numbers that the database says were erased, in memory and in every copy of the file.
     * Whoever shares the file waits for others that do the same, so that none brings back what another forgot.
     */
    forgetErased: () =>
      database.transaction(async (trx) => {
        await store.lockDataKey(trx);
        const erased = await store.listErased(trx);
        const outcome = await keys.erase(erased.filter((number) => !keys.isErased(number)));
        recent.dropErased();
        return outcome;
      }),
  };
}

/** By which a database knows its key file. */
export function fingerprintOf(keys: ForgettingKeys): Buffer | undefined {
  const key = keys.keyOf(SERVICE_NUMBER);
  return key && createAccountKey(key).index("fingerprint", "");
}
