import type { Tables } from "@securewave/database";
import type { Kysely, Selectable } from "kysely";
import type { PageBounds } from "../../http/paging.ts";

type Db = Kysely<Tables>;
export type SessionRow = Selectable<Tables["sessions"]>;

export async function insertSession(db: Db, session: Omit<SessionRow, "previous_hash">): Promise<void> {
  await db.insertInto("sessions").values(session).execute();
}

export function findSession(db: Db, id: string, today: string): Promise<SessionRow | undefined> {
  return db
    .selectFrom("sessions")
    .selectAll()
    .where("id", "=", id)
    .where("kind", "=", "program")
    .where("expires_on", ">=", today)
    .executeTakeFirst();
}

export function listSessionsOf(
  db: Db,
  accountId: string,
  today: string,
  { rows, after }: PageBounds,
): Promise<SessionRow[]> {
  let query = db
    .selectFrom("sessions")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("expires_on", ">=", today)
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
  next: { hash: Buffer; expiresOn: string; today: string },
): Promise<{ account_id: string } | undefined> {
  return db
    .updateTable("sessions")
    .set({ refresh_hash: next.hash, previous_hash: present, expires_on: next.expiresOn })
    .where("id", "=", id)
    .where("kind", "=", "program")
    .where("refresh_hash", "=", present)
    .where("expires_on", ">=", next.today)
    .returning("account_id")
    .executeTakeFirst();
}

/** @returns whether the session would have ended before a day, and so lasts longer */
export async function prolongSession(
  db: Db,
  id: string,
  { ifBefore, to }: Record<"ifBefore" | "to", string>,
): Promise<boolean> {
  const row = await db
    .updateTable("sessions")
    .set({ expires_on: to })
    .where("id", "=", id)
    .where("expires_on", "<", ifBefore)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function deleteSession(db: Db, id: string): Promise<void> {
  await db.deleteFrom("sessions").where("id", "=", id).execute();
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

export async function deleteExpiredSessions(db: Db, today: string): Promise<void> {
  await db.deleteFrom("sessions").where("expires_on", "<", today).execute();
}

/** Who a session belongs to, if it may still be used. */
export function findHolder(db: Db, sessionId: string, kind: SessionRow["kind"], today: string) {
  return db
    .selectFrom("sessions")
    .innerJoin("accounts", "accounts.id", "sessions.account_id")
    .select([
      "accounts.id as accountId",
      "accounts.role as role",
      "sessions.refresh_hash as hash",
      "sessions.expires_on as expiresOn",
    ])
    .where("sessions.id", "=", sessionId)
    .where("sessions.kind", "=", kind)
    .where("sessions.expires_on", ">=", today)
    .where("accounts.state", "=", "active")
    .executeTakeFirst();
}
