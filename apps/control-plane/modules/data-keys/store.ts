import type { Tables } from "@securewave/database";
import { type Kysely, type Selectable, sql } from "kysely";

type Db = Kysely<Tables>;
export type UnsealedRow = Selectable<Tables["unsealed"]>;

export async function findNumber(db: Db, accountId: string): Promise<number | undefined> {
  const row = await db.selectFrom("accounts").select("number").where("id", "=", accountId).executeTakeFirst();
  return row?.number;
}

/** Held to the end of the transaction: processes that start together make one key file, and seal once. */
export async function lockDataKey(trx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(5771006)`.execute(trx);
}

export async function readFingerprint(db: Db): Promise<Buffer | undefined> {
  return (await db.selectFrom("data_key").select("fingerprint").executeTakeFirst())?.fingerprint;
}

export async function saveFingerprint(db: Db, fingerprint: Buffer): Promise<void> {
  await db.insertInto("data_key").values({ fingerprint }).execute();
}

export async function listErased(db: Db): Promise<number[]> {
  return (await db.selectFrom("erasures").select("number").execute()).map(({ number }) => number);
}

export async function insertErasures(db: Db, numbers: readonly number[], today: string): Promise<void> {
  if (numbers.length === 0) return;
  await db
    .insertInto("erasures")
    .values(numbers.map((number) => ({ number, erased_on: today })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Plain values from before, with the numbers of their accounts. */
export function listUnsealed(db: Db, rowsMax: number): Promise<(UnsealedRow & { number: number })[]> {
  return db
    .selectFrom("unsealed")
    .innerJoin("accounts", "accounts.id", "unsealed.account_id")
    .selectAll("unsealed")
    .select("accounts.number")
    .orderBy("unsealed.account_id")
    .limit(rowsMax)
    .execute();
}

export async function deleteUnsealed(db: Db, { place, row_id }: UnsealedRow): Promise<void> {
  await db.deleteFrom("unsealed").where("place", "=", place).where("row_id", "=", row_id).execute();
}

export async function fillEmail(db: Db, id: string, index: Buffer, sealed: Buffer): Promise<void> {
  await db
    .updateTable("accounts")
    .set({ email_index: index, email_sealed: sealed })
    .where("id", "=", id)
    .execute();
}

export async function fillPassword(db: Db, id: string, sealed: Buffer): Promise<void> {
  await db.updateTable("accounts").set({ password_sealed: sealed }).where("id", "=", id).execute();
}

export async function fillDeviceName(db: Db, id: string, index: Buffer, sealed: Buffer): Promise<void> {
  await db
    .updateTable("devices")
    .set({ name_index: index, name_sealed: sealed })
    .where("id", "=", id)
    .execute();
}

export async function fillName(
  db: Db,
  table: "passkeys" | "api_keys",
  id: string,
  sealed: Buffer,
): Promise<void> {
  await db.updateTable(table).set({ name_sealed: sealed }).where("id", "=", id).execute();
}

export async function findSealedKey(db: Db, deviceId: string): Promise<Buffer | null | undefined> {
  const query = db.selectFrom("devices").select("sealed_private_key").where("id", "=", deviceId);
  return (await query.executeTakeFirst())?.sealed_private_key;
}

export async function fillSealedKey(db: Db, deviceId: string, sealed: Buffer): Promise<void> {
  await db.updateTable("devices").set({ sealed_private_key: sealed }).where("id", "=", deviceId).execute();
}

export async function findSealedFactor(db: Db, accountId: string): Promise<Buffer | undefined> {
  const query = db.selectFrom("second_factors").select("sealed_secret").where("account_id", "=", accountId);
  return (await query.executeTakeFirst())?.sealed_secret;
}

export async function fillSealedFactor(db: Db, accountId: string, sealed: Buffer): Promise<void> {
  await db
    .updateTable("second_factors")
    .set({ sealed_secret: sealed })
    .where("account_id", "=", accountId)
    .execute();
}
