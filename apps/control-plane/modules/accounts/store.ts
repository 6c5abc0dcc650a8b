import type { Tables } from "@securewave/database";
import { type Kysely, type Selectable, sql } from "kysely";
import type { PageBounds } from "../../http/paging.ts";
import type { AccountRow } from "./account.ts";

type Db = Kysely<Tables>;
type Token = Selectable<Tables["one_time_tokens"]>;

export function insertAccount(
  db: Db,
  account: Omit<AccountRow, "devices_active" | "plan_id">,
): Promise<AccountRow> {
  return db.insertInto("accounts").values(account).returningAll().executeTakeFirstOrThrow();
}

export function findAccount(db: Db, id: string): Promise<AccountRow | undefined> {
  return db.selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst();
}

/**
 * Finds accounts by looking at every row of the table, so that no page of it is touched more than others: what
 * PostgreSQL notes on pages that it reads would tell who was looked for. In a transaction of its own.
 */
export async function findAccountsAmongAll(trx: Db, ids: readonly string[]): Promise<AccountRow[]> {
  for (const way of ["indexscan", "indexonlyscan", "bitmapscan"])
    await sql`select set_config(${`enable_${way}`}, 'off', true)`.execute(trx);
  // With nobody to look for there would be no looking.
  const sought = ["nobody", ...ids];
  return trx.selectFrom("accounts").selectAll().where(sql<boolean>`id = any(${sought}::text[])`).execute();
}

export function findAccountByEmail(db: Db, emailIndex: Buffer): Promise<AccountRow | undefined> {
  return db.selectFrom("accounts").selectAll().where("email_index", "=", emailIndex).executeTakeFirst();
}

/** @param sought only the account with this id, or this mail address */
export function listAccounts(
  db: Db,
  { rows, after }: PageBounds,
  sought?: { readonly id: string } | { readonly emailIndex: Buffer },
): Promise<AccountRow[]> {
  let query = db.selectFrom("accounts").selectAll().orderBy("id").limit(rows);
  if (after) query = query.where("id", ">", after[0] ?? "");
  if (sought)
    query =
      "id" in sought ? query.where("id", "=", sought.id) : query.where("email_index", "=", sought.emailIndex);
  return query.execute();
}

export function updateAccount(
  db: Db,
  id: string,
  change: Partial<Pick<AccountRow, "role" | "state">>,
): Promise<AccountRow | undefined> {
  return db.updateTable("accounts").set(change).where("id", "=", id).returningAll().executeTakeFirst();
}

/** By whose key a password for this mail address is to be sealed: its account's, where there is one. */
export function findSealer(
  db: Db,
  emailIndex: Buffer,
): Promise<Pick<AccountRow, "id" | "number"> | undefined> {
  return db
    .selectFrom("accounts")
    .select(["id", "number"])
    .where("email_index", "=", emailIndex)
    .executeTakeFirst();
}

/**
 * Makes an account, gives one that is not confirmed yet this password, or writes one as it is: all three cost the
 * same. Of two that make it at once, the second changes nothing: its password was not sealed for the first one's.
 *
 * @param mayReplace whether one that is not confirmed gets the password
 * @returns the id of the account with this mail address
 */
export async function registerAccount(
  db: Db,
  account: Omit<AccountRow, "devices_active" | "plan_id">,
  mayReplace: boolean,
): Promise<string> {
  const { id } = await db
    .insertInto("accounts")
    .values(account)
    .onConflict((conflict) =>
      conflict.column("email_index").doUpdateSet({
        password_sealed: sql`case when accounts.state = 'unverified' and ${mayReplace}
          and accounts.number = excluded.number then excluded.password_sealed else accounts.password_sealed end`,
      }),
    )
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

/** Locks the admins against each other's changes, so that the last one cannot vanish between two of them. */
export async function lockActiveAdmins(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom("accounts")
    .select("id")
    .where("role", "=", "admin")
    .where("state", "=", "active")
    .orderBy("id")
    .forUpdate()
    .execute();
  return rows.map(({ id }) => id);
}

export async function listActiveAdmins(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom("accounts")
    .select("id")
    .where("role", "=", "admin")
    .where("state", "=", "active")
    .execute();
  return rows.map(({ id }) => id);
}

export async function hasAdmin(db: Db): Promise<boolean> {
  const row = await db
    .selectFrom("accounts")
    .select("id")
    .where("role", "=", "admin")
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export async function countAccounts(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom("accounts")
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return count;
}

/** What belongs to it goes with it, by the tables' own rules. */
export async function deleteAccount(db: Db, id: string): Promise<void> {
  await db.deleteFrom("accounts").where("id", "=", id).execute();
}

export async function insertToken(db: Db, token: Token): Promise<void> {
  await db.insertInto("one_time_tokens").values(token).execute();
}

/**
 * Uses a token up: of two that come at once, one gets it. The account is locked first, so that two links of one
 * account wait for each other, and the one that comes second finds its token gone.
 */
export async function takeToken(
  db: Db,
  hash: Buffer,
  purpose: Token["purpose"],
  today: string,
): Promise<Token | undefined> {
  const owner = db.selectFrom("one_time_tokens").select("account_id").where("hash", "=", hash);
  await db.selectFrom("accounts").select("id").where("id", "=", owner).forNoKeyUpdate().execute();
  return db
    .deleteFrom("one_time_tokens")
    .where("hash", "=", hash)
    .where("purpose", "=", purpose)
    .where("expires_on", ">=", today)
    .returningAll()
    .executeTakeFirst();
}

/** Whose a token is, without using it up. */
export function findAccountByToken(
  db: Db,
  hash: Buffer,
  purpose: Token["purpose"],
  today: string,
): Promise<AccountRow | undefined> {
  return db
    .selectFrom("one_time_tokens")
    .innerJoin("accounts", "accounts.id", "one_time_tokens.account_id")
    .selectAll("accounts")
    .where("one_time_tokens.hash", "=", hash)
    .where("one_time_tokens.purpose", "=", purpose)
    .where("one_time_tokens.expires_on", ">=", today)
    .executeTakeFirst();
}

export async function setPassword(db: Db, id: string, sealed: Buffer): Promise<void> {
  await db.updateTable("accounts").set({ password_sealed: sealed }).where("id", "=", id).execute();
}

export async function deleteTokensOf(
  db: Db,
  purpose: Token["purpose"],
  accountId: string | null,
): Promise<void> {
  await db
    .deleteFrom("one_time_tokens")
    .where("purpose", "=", purpose)
    .where("account_id", accountId === null ? "is" : "=", accountId)
    .execute();
}

export async function deleteToken(db: Db, hash: Buffer): Promise<void> {
  await db.deleteFrom("one_time_tokens").where("hash", "=", hash).execute();
}

/**
 * Leaves an account the last few tokens of a purpose. Which came last stands in no column, since an instant would
 * tell when somebody asked: rows are as old as the transactions that wrote them.
 */
export async function deleteOldestTokensOf(
  db: Db,
  purpose: Token["purpose"],
  accountId: string,
  countMax: number,
): Promise<void> {
  const oldest = db
    .selectFrom("one_time_tokens")
    .select("hash")
    .where("purpose", "=", purpose)
    .where("account_id", "=", accountId)
    .orderBy(sql`age(xmin)`)
    .offset(countMax);
  await db.deleteFrom("one_time_tokens").where("hash", "in", oldest).execute();
}

/** @returns how many there were */
export async function deleteAllTokens(db: Db): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom("one_time_tokens").executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

export async function deleteExpiredTokens(db: Db, today: string): Promise<void> {
  await db.deleteFrom("one_time_tokens").where("expires_on", "<", today).execute();
}

/** Held to the end of the transaction: the first admin is made once, also by two who open the link together. */
export async function lockSetup(db: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(5771003)`.execute(db);
}
