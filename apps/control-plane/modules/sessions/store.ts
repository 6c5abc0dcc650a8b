import type { Tables } from "@securewave/database";
import type { Kysely, Selectable } from "kysely";

type Db = Kysely<Tables>;
type Session = Selectable<Tables["sessions"]>;

export async function insertSession(db: Db, session: Omit<Session, "previous_hash">): Promise<void> {
  await db.insertInto("sessions").values(session).execute();
}

export function findSession(db: Db, id: string, today: string): Promise<Session | undefined> {
  return db
    .selectFrom("sessions")
    .selectAll()
    .where("id", "=", id)
    .where("expires_on", ">=", today)
    .executeTakeFirst();
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
    .where("refresh_hash", "=", present)
    .where("expires_on", ">=", next.today)
    .returning("account_id")
    .executeTakeFirst();
}

export async function deleteSession(db: Db, id: string): Promise<void> {
  await db.deleteFrom("sessions").where("id", "=", id).execute();
}

export async function deleteSessionsOf(db: Db, accountId: string): Promise<void> {
  await db.deleteFrom("sessions").where("account_id", "=", accountId).execute();
}

export async function deleteExpiredSessions(db: Db, today: string): Promise<void> {
  await db.deleteFrom("sessions").where("expires_on", "<", today).execute();
}

/** Who a session belongs to, if it may still be used. */
export function findHolder(db: Db, sessionId: string, today: string) {
  return db
    .selectFrom("sessions")
    .innerJoin("accounts", "accounts.id", "sessions.account_id")
    .select(["accounts.id as accountId", "accounts.role as role"])
    .where("sessions.id", "=", sessionId)
    .where("sessions.expires_on", ">=", today)
    .where("accounts.state", "=", "active")
    .executeTakeFirst();
}
