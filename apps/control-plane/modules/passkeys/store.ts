import type { Tables } from "@securewave/database";
import type { Kysely, Selectable } from "kysely";

type Db = Kysely<Tables>;
export type PasskeyRow = Selectable<Tables["passkeys"]>;

export function listPasskeysOf(db: Db, accountId: string): Promise<PasskeyRow[]> {
  return db
    .selectFrom("passkeys")
    .selectAll()
    .where("account_id", "=", accountId)
    .orderBy("created_on")
    .orderBy("id")
    .execute();
}

/** Locks the account, so that two new passkeys are counted one after the other. */
export async function lockAccount(trx: Db, accountId: string): Promise<void> {
  await trx.selectFrom("accounts").select("id").where("id", "=", accountId).forUpdate().execute();
}

export function insertPasskey(db: Db, row: PasskeyRow): Promise<PasskeyRow> {
  return db.insertInto("passkeys").values(row).returningAll().executeTakeFirstOrThrow();
}

export function findByCredential(db: Db, credentialId: Buffer): Promise<PasskeyRow | undefined> {
  return db.selectFrom("passkeys").selectAll().where("credential_id", "=", credentialId).executeTakeFirst();
}

/** Counters grow; passkeys that are kept in several places have none, and stay at 0. */
export async function raiseCounter(db: Db, id: string, from: number, to: number): Promise<boolean> {
  if (to === from) return true;
  const row = await db
    .updateTable("passkeys")
    .set({ counter: to })
    .where("id", "=", id)
    .where("counter", "=", from)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

export function renamePasskey(
  db: Db,
  accountId: string,
  id: string,
  nameSealed: Buffer,
): Promise<PasskeyRow | undefined> {
  return db
    .updateTable("passkeys")
    .set({ name_sealed: nameSealed })
    .where("id", "=", id)
    .where("account_id", "=", accountId)
    .returningAll()
    .executeTakeFirst();
}

export async function deletePasskey(db: Db, accountId: string, id: string): Promise<boolean> {
  const row = await db
    .deleteFrom("passkeys")
    .where("id", "=", id)
    .where("account_id", "=", accountId)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function deletePasskeysOf(db: Db, accountId: string): Promise<void> {
  await db.deleteFrom("passkeys").where("account_id", "=", accountId).execute();
}
