import type { Tables } from "@securewave/database";
import type { Kysely, Selectable } from "kysely";
import type { PageBounds } from "../../http/paging.ts";

type Db = Kysely<Tables>;
export type ApiKeyRow = Selectable<Tables["api_keys"]>;

export function insertApiKey(
  db: Db,
  row: Omit<ApiKeyRow, "previous_hash" | "previous_until">,
): Promise<ApiKeyRow> {
  return db.insertInto("api_keys").values(row).returningAll().executeTakeFirstOrThrow();
}

/** Locks the account, so that two new keys are counted one after the other. */
export async function countApiKeysOf(trx: Db, accountId: string, today: string): Promise<number> {
  await trx.selectFrom("accounts").select("id").where("id", "=", accountId).forUpdate().execute();
  const { count } = await trx
    .selectFrom("api_keys")
    .select((e) => e.fn.countAll<number>().as("count"))
    .where("account_id", "=", accountId)
    .where("expires_on", ">=", today)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export function listApiKeysOf(
  db: Db,
  accountId: string,
  today: string,
  { rows, after }: PageBounds,
): Promise<ApiKeyRow[]> {
  let query = db
    .selectFrom("api_keys")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("expires_on", ">=", today)
    .orderBy("id")
    .limit(rows);
  if (after) query = query.where("id", ">", after[0] ?? "");
  return query.execute();
}

/** The present text becomes the previous one, which works for a while yet. */
export function rotateApiKey(
  db: Db,
  {
    accountId,
    id,
    hash,
    today,
    previousUntil,
  }: Record<"accountId" | "id" | "today" | "previousUntil", string> & {
    hash: Buffer;
  },
): Promise<ApiKeyRow | undefined> {
  return db
    .updateTable("api_keys")
    .set((e) => ({ hash, previous_hash: e.ref("hash"), previous_until: previousUntil }))
    .where("id", "=", id)
    .where("account_id", "=", accountId)
    .where("expires_on", ">=", today)
    .returningAll()
    .executeTakeFirst();
}

export function deleteApiKeyOf(db: Db, accountId: string, id: string): Promise<ApiKeyRow | undefined> {
  return db
    .deleteFrom("api_keys")
    .where("id", "=", id)
    .where("account_id", "=", accountId)
    .returningAll()
    .executeTakeFirst();
}

/** @returns how many there were */
export async function deleteAllApiKeys(db: Db): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom("api_keys").executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

export async function deleteExpiredApiKeys(db: Db, today: string): Promise<void> {
  await db.deleteFrom("api_keys").where("expires_on", "<", today).execute();
}

/** A key with whom it acts for, if it may still be used. */
export function findUsable(db: Db, id: string, today: string) {
  return db
    .selectFrom("api_keys")
    .innerJoin("accounts", "accounts.id", "api_keys.account_id")
    .selectAll("api_keys")
    .select("accounts.role as role")
    .where("api_keys.id", "=", id)
    .where("api_keys.expires_on", ">=", today)
    .where("accounts.state", "=", "active")
    .executeTakeFirst();
}
