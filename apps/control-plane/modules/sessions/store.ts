import type { Tables } from "@securewave/database";
import { type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import type { PageBounds } from "../../http/paging.ts";
import type { Validity } from "./lifetime.ts";

type Db = Kysely<Tables>;
export type SessionRow = Selectable<Tables["sessions"]>;
export type SessionView = Pick<SessionRow, "id" | "kind" | "created_on" | "expires_on">;

/** A day, or the end of all log-ins of a session's first day, whichever is earlier. */
function atMost(day: RawBuilder<string>, maxDays: number): RawBuilder<string> {
  return sql<string>`least(${day}, sessions.created_on + ${maxDays}::integer)`;
}
const lastDay = (maxDays: number) => atMost(sql<string>`sessions.expires_on`, maxDays);

export async function insertSession(db: Db, session: Omit<SessionRow, "previous_hash">): Promise<void> {
  await db.insertInto("sessions").values(session).execute();
}

export function findSession(
  db: Db,
  id: string,
  { today, maxDays }: Validity,
): Promise<SessionRow | undefined> {
  return db
    .selectFrom("sessions")
    .selectAll()
    .where("id", "=", id)
    .where("kind", "=", "program")
    .where(lastDay(maxDays), ">=", today)
    .executeTakeFirst();
}

export function listSessionsOf(
  db: Db,
  accountId: string,
  { today, maxDays }: Validity,
  { rows, after }: PageBounds,
): Promise<SessionView[]> {
  let query = db
    .selectFrom("sessions")
    .select(["id", "kind", "created_on", lastDay(maxDays).as("expires_on")])
    .where("account_id", "=", accountId)
    .where(lastDay(maxDays), ">=", today)
    .orderBy("id")
    .limit(rows);
  if (after) query = query.where("id", ">", after[0] ?? "");
  return query.execute();
}

/** Puts the next token in place of the present one; of two that try, one does. */
export function rotateSession(
  db: Db,
  id: string,
  present: Buffer,
  next: { hash: Buffer; to: string },
  { today, maxDays }: Validity,
): Promise<{ account_id: string } | undefined> {
  return db
    .updateTable("sessions")
    .set({
      refresh_hash: next.hash,
      previous_hash: present,
      expires_on: atMost(sql`${next.to}::date`, maxDays),
    })
    .where("id", "=", id)
    .where("kind", "=", "program")
    .where("refresh_hash", "=", present)
    .where(lastDay(maxDays), ">=", today)
    .returning("account_id")
    .executeTakeFirst();
}

/** @returns the new last day of a session that would have ended before a day and that may last longer */
export async function prolongSession(
  db: Db,
  id: string,
  { ifBefore, to }: Record<"ifBefore" | "to", string>,
  { today, maxDays }: Validity,
): Promise<string | undefined> {
  const prolonged = atMost(sql`${to}::date`, maxDays);
  const row = await db
    .updateTable("sessions")
    .set({ expires_on: prolonged })
    .where("id", "=", id)
    .where("expires_on", "<", ifBefore)
    .where("expires_on", "<", prolonged)
    .where(lastDay(maxDays), ">=", today)
    .returning("expires_on")
    .executeTakeFirst();
  return row?.expires_on;
}

/**
 * Makes those of an account's log-ins that are opened at once wait for each other, and so count each other.
 *
 * @returns undefined when the account is gone
 */
export async function lockAccount(
  trx: Db,
  accountId: string,
): Promise<Tables["accounts"]["state"] | undefined> {
  const account = trx.selectFrom("accounts").select("state").where("id", "=", accountId);
  return (await account.forNoKeyUpdate().executeTakeFirst())?.state;
}

/**
 * Deletes what an account has over a number of log-ins: those that would end first.
 *
 * @returns the ids of what was deleted
 */
export async function deleteSurplus(
  trx: Db,
  accountId: string,
  keptMax: number,
  { today, maxDays }: Validity,
): Promise<string[]> {
  const surplus = trx
    .selectFrom("sessions")
    .select("id")
    .where("account_id", "=", accountId)
    .where(lastDay(maxDays), ">=", today)
    .orderBy(lastDay(maxDays), "desc")
    .orderBy("created_on", "desc")
    .orderBy("id")
    .offset(keptMax);
  const rows = await trx.deleteFrom("sessions").where("id", "in", surplus).returning("id").execute();
  return rows.map(({ id }) => id);
}

/** @returns whether there was such a session */
export async function deleteSession(db: Db, id: string): Promise<boolean> {
  const row = await db.deleteFrom("sessions").where("id", "=", id).returning("id").executeTakeFirst();
  return row !== undefined;
}

/** @returns whether there was such a session of this account */
export async function deleteSessionOf(db: Db, accountId: string, id: string): Promise<boolean> {
  const row = await db
    .deleteFrom("sessions")
    .where("id", "=", id)
    .where("account_id", "=", accountId)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function deleteSessionsOf(db: Db, accountId: string, exceptId?: string): Promise<void> {
  let query = db.deleteFrom("sessions").where("account_id", "=", accountId);
  if (exceptId !== undefined) query = query.where("id", "!=", exceptId);
  await query.execute();
}

/** @returns how many there were */
export async function deleteAllSessions(db: Db, exceptId: string): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom("sessions")
    .where("id", "!=", exceptId)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

export async function deleteExpiredSessions(db: Db, { today, maxDays }: Validity): Promise<void> {
  await db.deleteFrom("sessions").where(lastDay(maxDays), "<", today).execute();
}

/** Who a session belongs to, if it may still be used, and its last day as things are. */
export function findHolder(
  db: Db,
  sessionId: string,
  kind: SessionRow["kind"],
  { today, maxDays }: Validity,
) {
  return db
    .selectFrom("sessions")
    .innerJoin("accounts", "accounts.id", "sessions.account_id")
    .select([
      "accounts.id as accountId",
      "accounts.role as role",
      "sessions.refresh_hash as hash",
      lastDay(maxDays).as("expiresOn"),
    ])
    .where("sessions.id", "=", sessionId)
    .where("sessions.kind", "=", kind)
    .where(lastDay(maxDays), ">=", today)
    .where("accounts.state", "=", "active")
    .executeTakeFirst();
}
