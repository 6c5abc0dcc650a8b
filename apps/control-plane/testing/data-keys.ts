import { randomBytes } from "node:crypto";
import type { Database, Tables } from "@securewave/database";
import { keyedHash } from "@securewave/foundation/derive";
import type { Kysely } from "kysely";
import type { Account } from "../modules/accounts/index.ts";
import { openAccount, sealAccount } from "../modules/accounts/index.ts";
import { createDataKeys, type DataKeys } from "../modules/data-keys/index.ts";

/** Data keys that live and are forgotten in memory alone. */
export function createTestDataKeys(database: Database): DataKeys {
  const root = randomBytes(32);
  const erased = new Set<number>();
  return createDataKeys({
    database,
    keys: {
      keyOf: (number) => (erased.has(number) ? undefined : keyedHash(root, String(number))),
      isErased: (number) => erased.has(number),
      async erase(numbers) {
        for (const number of numbers) erased.add(number);
        return { current: [], behind: [] };
      },
    },
  });
}

/** Makes an account as the service does, without its rules. */
export async function insertAccount(
  db: Kysely<Tables>,
  keys: DataKeys,
  account: Omit<Account, "number" | "devices_active" | "plan_id">,
): Promise<Account> {
  const row = await db
    .insertInto("accounts")
    .values(sealAccount(keys, { ...account, number: keys.newNumber() }))
    .returningAll()
    .executeTakeFirstOrThrow();
  const opened = openAccount(keys, row);
  if (!opened) throw new Error("a new account opens");
  return opened;
}
