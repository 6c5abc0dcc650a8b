import type { Tables } from "@securewave/database";
import { type Kysely, type Selectable, sql } from "kysely";
import type { PageBounds } from "../../http/paging.ts";
import type { Account } from "./account.ts";

type Db = Kysely<Tables>;
type Token = Selectable<Tables["one_time_tokens"]>;

export function insertAccount(db: Db, account: Omit<Account, "devices_active">): Promise<Account> {
  return db.insertInto("accounts").values(account).returningAll().executeTakeFirstOrThrow();
}

export function findAccount(db: Db, id: string): Promise<Account | undefined> {
  return db.selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst();
}

export function findAccountByEmail(db: Db, email: string): Promise<Account | undefined> {
  return db.selectFrom("accounts").selectAll().where("email", "=", email).executeTakeFirst();
}

export function listAccounts(db: Db, { rows, after, pattern }: PageBounds): Promise<Account[]> {
  let query = db.selectFrom("accounts").selectAll().orderBy("email").limit(rows);
  if (after) query = query.where("email", ">", after[0] ?? "");
  if (pattern) query = query.where("email", "ilike", pattern);
  return query.execute();
}

export function updateAccount(
  db: Db,
  id: string,
  change: Partial<Pick<Account, "role" | "state">>,
): Promise<Account | undefined> {
  return db.updateTable("accounts").set(change).where("id", "=", id).returningAll().executeTakeFirst();
}

/**
 * Makes an account, gives one that is not confirmed yet this password, or writes one as it is: all three cost the
 * same.
 *
 * @param mayReplace whether one that is not confirmed gets the password
 * @returns the id of the account with this mail address
 */
export async function registerAccount(
  db: Db,
  account: Omit<Account, "devices_active">,
  mayReplace: boolean,
): Promise<string> {
  const { id } = await db
    .insertInto("accounts")
    .values(account)
    .onConflict((conflict) =>
      conflict.column("email").doUpdateSet({
        password_hash: sql`case when accounts.state = 'unverified' and ${mayReplace}
          then excluded.password_hash else accounts.password_hash end`,
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
): Promise<Account | undefined> {
  return db
    .selectFrom("one_time_tokens")
    .innerJoin("accounts", "accounts.id", "one_time_tokens.account_id")
    .selectAll("accounts")
    .where("one_time_tokens.hash", "=", hash)
    .where("one_time_tokens.purpose", "=", purpose)
    .where("one_time_tokens.expires_on", ">=", today)
    .executeTakeFirst();
}

export async function setPassword(db: Db, id: string, passwordHash: string): Promise<void> {
  await db.updateTable("accounts").set({ password_hash: passwordHash }).where("id", "=", id).execute();
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

export async function deleteExpiredTokens(db: Db, today: string): Promise<void> {
  await db.deleteFrom("one_time_tokens").where("expires_on", "<", today).execute();
}

/** Held to the end of the transaction: the first admin is made once, also by two who open the link together. */
export async function lockSetup(db: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(5771003)`.execute(db);
}
