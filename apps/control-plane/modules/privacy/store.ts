import type { Tables } from "@securewave/database";
import { type Kysely, type Selectable, sql } from "kysely";
import type { PageBounds } from "../../http/paging.ts";

type Db = Kysely<Tables>;
export type DeletionRow = Selectable<Tables["deletions"]>;
export type ConsentRow = Selectable<Tables["consents"]>;
export type RequestRow = Selectable<Tables["privacy_requests"]>;
export type UsageDayRow = Selectable<Tables["usage_history"]>;

export function findDeletion(db: Db, accountId: string): Promise<DeletionRow | undefined> {
  return db.selectFrom("deletions").selectAll().where("account_id", "=", accountId).executeTakeFirst();
}

/** Whoever asks again gets the earlier day of both. */
export function putDeletion(db: Db, row: DeletionRow): Promise<DeletionRow> {
  return db
    .insertInto("deletions")
    .values(row)
    .onConflict((conflict) =>
      conflict.column("account_id").doUpdateSet({ due_on: sql`least(deletions.due_on, excluded.due_on)` }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function deleteDeletion(db: Db, accountId: string): Promise<boolean> {
  const row = await db
    .deleteFrom("deletions")
    .where("account_id", "=", accountId)
    .returning("account_id")
    .executeTakeFirst();
  return row !== undefined;
}

/** @returns ids of accounts */
export async function listDue(db: Db, today: string): Promise<string[]> {
  const rows = await db.selectFrom("deletions").select("account_id").where("due_on", "<=", today).execute();
  return rows.map(({ account_id }) => account_id);
}

/** Whether anything was erased on a day or after it. */
export async function hasErased(db: Db, day: string): Promise<boolean> {
  const query = db.selectFrom("erasures").select("number").where("erased_on", ">=", day).limit(1);
  return (await query.executeTakeFirst()) !== undefined;
}

/** All numbers whose keys open something of an account. */
export async function numbersOf(db: Db, accountId: string): Promise<number[]> {
  const { rows } = await sql<{ number: number }>`
    select number from accounts where id = ${accountId}
    union all select number from consents where account_id = ${accountId} and number is not null
  `.execute(db);
  return rows.map(({ number }) => number);
}

/** Accounts with their numbers in the order of ids, after one. */
export function listNumbers(
  db: Db,
  after: string,
  rowsMax: number,
): Promise<{ id: string; number: number }[]> {
  return db
    .selectFrom("accounts")
    .select(["id", "number"])
    .where("id", ">", after)
    .orderBy("id")
    .limit(rowsMax)
    .execute();
}

export function findConsent(
  db: Db,
  accountId: string,
  purpose: ConsentRow["purpose"],
): Promise<ConsentRow | undefined> {
  return db
    .selectFrom("consents")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("purpose", "=", purpose)
    .where("withdrawn_on", "is", null)
    .executeTakeFirst();
}

export function listConsentsOf(db: Db, accountId: string): Promise<ConsentRow[]> {
  return db
    .selectFrom("consents")
    .selectAll()
    .where("account_id", "=", accountId)
    .orderBy("given_on")
    .orderBy("id")
    .execute();
}

/** Consents that hold, in the order of ids, after one. */
export function listPresentConsents(
  db: Db,
  purpose: ConsentRow["purpose"],
  after: string,
  rowsMax: number,
): Promise<ConsentRow[]> {
  return presentConsents(db, purpose, after, rowsMax).execute();
}

/** The same, of which none is withdrawn before the transaction has ended. */
export function holdPresentConsents(
  trx: Db,
  purpose: ConsentRow["purpose"],
  after: string,
  rowsMax: number,
): Promise<ConsentRow[]> {
  return presentConsents(trx, purpose, after, rowsMax).forShare().execute();
}

function presentConsents(db: Db, purpose: ConsentRow["purpose"], after: string, rowsMax: number) {
  return db
    .selectFrom("consents")
    .selectAll()
    .where("purpose", "=", purpose)
    .where("withdrawn_on", "is", null)
    .where("id", ">", after)
    .orderBy("id")
    .limit(rowsMax);
}

/** @returns false when there is one already */
export async function insertConsent(db: Db, row: Omit<ConsentRow, "withdrawn_on">): Promise<boolean> {
  const inserted = await db
    .insertInto("consents")
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(["account_id", "purpose"]).where("withdrawn_on", "is", null).doNothing(),
    )
    .returning("id")
    .executeTakeFirst();
  return inserted !== undefined;
}

/** @returns the number of what was kept under it */
export async function withdrawConsent(
  db: Db,
  accountId: string,
  purpose: ConsentRow["purpose"],
  today: string,
): Promise<number | undefined> {
  const present = await db
    .selectFrom("consents")
    .select(["id", "number"])
    .where("account_id", "=", accountId)
    .where("purpose", "=", purpose)
    .where("withdrawn_on", "is", null)
    .forUpdate()
    .executeTakeFirst();
  if (!present) return undefined;
  await db
    .updateTable("consents")
    .set({ withdrawn_on: today, number: null })
    .where("id", "=", present.id)
    .execute();
  return present.number ?? undefined;
}

export async function insertUsageDays(db: Db, rows: readonly UsageDayRow[]): Promise<void> {
  if (rows.length === 0) return;
  await db
    .insertInto("usage_history")
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export function listUsageDays(
  db: Db,
  accountId: string,
  { rows, after }: PageBounds,
): Promise<UsageDayRow[]> {
  let query = db
    .selectFrom("usage_history")
    .selectAll()
    .where("account_id", "=", accountId)
    .orderBy("day", "desc")
    .limit(rows);
  if (after) query = query.where("day", "<", after[0] ?? "");
  return query.execute();
}

export async function deleteUsageDays(db: Db, accountId: string): Promise<void> {
  await db.deleteFrom("usage_history").where("account_id", "=", accountId).execute();
}

export async function insertAgreement(db: Db, row: Selectable<Tables["policy_agreements"]>): Promise<void> {
  await db
    .insertInto("policy_agreements")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function deleteUnconfirmedAgreements(db: Db, accountId: string): Promise<void> {
  await db.deleteFrom("policy_agreements").where("account_id", "in", unconfirmed(db, accountId)).execute();
}

/** The same statement whoever registers, whether anything comes of it or not. */
export async function insertUnconfirmedAgreement(
  db: Db,
  { account_id, version, agreed_on }: Selectable<Tables["policy_agreements"]>,
  shownVersion: string | undefined,
): Promise<void> {
  await db
    .insertInto("policy_agreements")
    .columns(["account_id", "version", "agreed_on"])
    .expression(
      unconfirmed(db, account_id)
        .select([
          sql<string>`${version}::text`.as("version"),
          sql<string>`${agreed_on}::date`.as("agreed_on"),
        ])
        .where(sql<boolean>`${shownVersion ?? ""}::text = ${version}::text`),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

const unconfirmed = (db: Db, accountId: string) =>
  db.selectFrom("accounts").select("id").where("id", "=", accountId).where("state", "=", "unverified");

/** The newest first. */
export function listAgreements(
  db: Db,
  accountId: string,
): Promise<Selectable<Tables["policy_agreements"]>[]> {
  return db
    .selectFrom("policy_agreements")
    .selectAll()
    .where("account_id", "=", accountId)
    .orderBy("agreed_on", "desc")
    .orderBy("version", "desc")
    .execute();
}

export async function insertRequest(db: Db, row: RequestRow): Promise<void> {
  await db.insertInto("privacy_requests").values(row).execute();
}

export async function countOpenRequests(db: Db, accountId: string): Promise<number> {
  const { count } = await db
    .selectFrom("privacy_requests")
    .select((e) => e.fn.countAll<number>().as("count"))
    .where("account_id", "=", accountId)
    .where("state", "=", "open")
    .executeTakeFirstOrThrow();
  return Number(count);
}

export type OwnedRequest = RequestRow & { readonly account_number: number | null };

function selectRequests(db: Db) {
  return db
    .selectFrom("privacy_requests")
    .leftJoin("accounts", "accounts.id", "privacy_requests.account_id")
    .selectAll("privacy_requests")
    .select("accounts.number as account_number");
}

export function findRequest(db: Db, id: string): Promise<OwnedRequest | undefined> {
  return selectRequests(db).where("privacy_requests.id", "=", id).executeTakeFirst();
}

/** What is due first comes first. */
export function listRequests(
  db: Db,
  { accountId, state }: { accountId?: string; state?: RequestRow["state"] | undefined },
  { rows, after }: PageBounds,
): Promise<OwnedRequest[]> {
  let query = selectRequests(db)
    .orderBy("privacy_requests.due_on")
    .orderBy("privacy_requests.id")
    .limit(rows);
  if (accountId !== undefined) query = query.where("privacy_requests.account_id", "=", accountId);
  if (state !== undefined) query = query.where("privacy_requests.state", "=", state);
  const [dueOn, id] = after ?? [];
  if (dueOn !== undefined && id !== undefined)
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple("privacy_requests.due_on", "privacy_requests.id"), ">", tuple(dueOn, id)),
    );
  return query.execute();
}

/** Those of its kind that an account has open, or one by its id. @returns whether there was such a one */
export async function closeRequest(
  db: Db,
  id: string,
  state: "done" | "refused",
  today: string,
): Promise<boolean> {
  const row = await db
    .updateTable("privacy_requests")
    .set({ state, closed_on: today })
    .where("id", "=", id)
    .where("state", "=", "open")
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

/** Erasing an account answers what it asked for; its words go with it. */
export async function settleRequestsOf(db: Db, accountId: string, today: string): Promise<void> {
  await db
    .updateTable("privacy_requests")
    .set({ state: "done", closed_on: today })
    .where("account_id", "=", accountId)
    .where("state", "=", "open")
    .execute();
  await db
    .updateTable("privacy_requests")
    .set({ text_sealed: null })
    .where("account_id", "=", accountId)
    .execute();
}
