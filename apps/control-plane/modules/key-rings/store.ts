import type { Tables } from "@securewave/database";
import { MASTER_NUMBER_BYTE } from "@securewave/foundation/envelope";
import { type Kysely, type Selectable, sql } from "kysely";
import { SEALED_COLUMNS, type SealedColumn } from "./sealed-columns.ts";

type Db = Kysely<Tables>;
export type SigningKeyRow = Selectable<Tables["signing_keys"]>;
export type EncryptionKeyRow = Selectable<Tables["encryption_keys"]>;

/** Whoever changes a ring does so alone; reading goes on. */
export async function lockRing(trx: Db, table: "signing_keys" | "encryption_keys"): Promise<void> {
  await sql`lock table ${sql.table(table)} in share row exclusive mode`.execute(trx);
}

export function listSigningKeys(db: Db): Promise<SigningKeyRow[]> {
  return db.selectFrom("signing_keys").selectAll().execute();
}

export function listEncryptionKeys(db: Db): Promise<EncryptionKeyRow[]> {
  return db.selectFrom("encryption_keys").selectAll().orderBy("number").execute();
}

export async function insertSigningKey(trx: Db, row: SigningKeyRow): Promise<void> {
  await trx.insertInto("signing_keys").values(row).execute();
}

export async function insertEncryptionKey(trx: Db, row: EncryptionKeyRow): Promise<void> {
  await trx.insertInto("encryption_keys").values(row).execute();
}

export async function retireSigningKeys(trx: Db, kids: readonly string[], retiresOn: string): Promise<void> {
  await trx.updateTable("signing_keys").set({ retires_on: retiresOn }).where("kid", "in", kids).execute();
}

export async function deleteSigningKeysBefore(trx: Db, kid: number): Promise<void> {
  await trx.deleteFrom("signing_keys").where(sql<boolean>`kid::integer < ${kid}`).execute();
}

export async function deleteRetiredSigningKeys(db: Db, today: string): Promise<void> {
  await db.deleteFrom("signing_keys").where("retires_on", "<", today).execute();
}

/** Lets a key that every process knows seal from here on, in place of the one that does. */
export async function putToWork(trx: Db, number: number): Promise<void> {
  await trx.updateTable("encryption_keys").set({ state: "opening" }).where("state", "=", "sealing").execute();
  await trx.updateTable("encryption_keys").set({ state: "sealing" }).where("number", "=", number).execute();
}

export async function resealEncryptionKey(trx: Db, number: number, sealedKey: Buffer): Promise<void> {
  await trx
    .updateTable("encryption_keys")
    .set({ sealed_key: sealedKey })
    .where("number", "=", number)
    .execute();
}

export async function deleteEncryptionKey(trx: Db, number: number): Promise<void> {
  await trx
    .deleteFrom("encryption_keys")
    .where("number", "=", number)
    .where("state", "=", "opening")
    .execute();
}

/** Something that the ring has sealed, whatever it is. */
export async function findSealed(db: Db): Promise<Buffer | undefined> {
  for (const { table, column } of SEALED_COLUMNS) {
    const { rows } = await sql<{ sealed: Buffer }>`
      select ${sql.ref(column)} as sealed from ${sql.table(table)} where ${sql.ref(column)} is not null limit 1
    `.execute(db);
    if (rows[0]) return rows[0].sealed;
  }
  return undefined;
}

export interface SealedRow {
  readonly key: string;
  readonly sealed: Buffer;
}

/** Rows that another key than the given one has sealed, after a row, in the order of their keys. */
export async function listSealedByOthers(
  db: Db,
  { table, key, column }: SealedColumn,
  number: number,
  after: string,
  limit: number,
): Promise<SealedRow[]> {
  const { rows } = await sql<SealedRow>`
    select ${sql.ref(key)} as key, ${sql.ref(column)} as sealed
    from ${sql.table(table)}
    where ${sql.ref(key)} > ${after} and get_byte(${sql.ref(column)}, ${sql.lit(MASTER_NUMBER_BYTE)}) <> ${number}
    order by ${sql.ref(key)}
    limit ${limit}
  `.execute(db);
  return rows;
}

/** Writes what was resealed, except where somebody has written meanwhile. */
export async function replaceSealed(
  db: Db,
  { table, key, column }: SealedColumn,
  changes: readonly (SealedRow & { readonly resealed: Buffer })[],
): Promise<void> {
  const keys = changes.map((change) => change.key);
  const before = changes.map(({ sealed }) => sealed);
  const after = changes.map(({ resealed }) => resealed);
  await sql`
    update ${sql.table(table)} set ${sql.ref(column)} = change.after
    from unnest(${keys}::text[], ${before}::bytea[], ${after}::bytea[]) as change (key, before, after)
    where ${sql.ref(`${table}.${key}`)} = change.key and ${sql.ref(`${table}.${column}`)} = change.before
  `.execute(db);
}

export interface KeyUses {
  sealed: number;
  presharedKeys: number;
}

/** What is sealed under each encryption key, and what is derived from it. */
export async function countUses(db: Db): Promise<Map<number, KeyUses>> {
  const uses = new Map<number, KeyUses>();
  const add = (number: number, count: Partial<KeyUses>) => {
    const { sealed, presharedKeys } = uses.get(number) ?? { sealed: 0, presharedKeys: 0 };
    uses.set(number, {
      sealed: sealed + (count.sealed ?? 0),
      presharedKeys: presharedKeys + (count.presharedKeys ?? 0),
    });
  };
  for (const { table, column } of SEALED_COLUMNS) {
    const { rows } = await sql<{ number: number; count: number }>`
      select get_byte(${sql.ref(column)}, ${sql.lit(MASTER_NUMBER_BYTE)}) as number, count(*) as count
      from ${sql.table(table)} where ${sql.ref(column)} is not null group by 1
    `.execute(db);
    for (const { number, count } of rows) add(number, { sealed: count });
  }
  // A key that retires has its preshared key for as long as the present one.
  const { rows: derived } = await sql<{ number: number; count: number }>`
    select preshared_key_master as number, count(*) as count from (
      select preshared_key_master from devices union all select preshared_key_master from retiring_keys
    ) as keys where preshared_key_master is not null group by 1
  `.execute(db);
  for (const { number, count } of derived) add(number, { presharedKeys: count });
  return uses;
}
