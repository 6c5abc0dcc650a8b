import { type EntryBody, type Frontier, HASH_BYTES } from "@securewave/audit-trail";
import type { AuditKind } from "@securewave/contracts";
import type { Tables } from "@securewave/database";
import { type Kysely, type Selectable, sql } from "kysely";

type Db = Kysely<Tables>;

export interface EntryRow {
  readonly index: number;
  readonly leaf: Buffer;
  readonly salt: Buffer | null;
  readonly body: EntryBody | null;
}

export async function insertQueued(
  db: Db,
  rows: readonly { readonly salt: Buffer; readonly body: EntryBody }[],
): Promise<void> {
  await db
    .insertInto("audit_queue")
    .values(rows.map(({ salt, body }) => ({ salt, body: JSON.stringify(body) })))
    .execute();
}

/** Held to the end of the transaction: entries get their places one after the other. */
export async function lockTrail(trx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(5771004)`.execute(trx);
}

export async function takeQueued(
  trx: Db,
  rowsMax: number,
): Promise<{ id: number; salt: Buffer; body: EntryBody }[]> {
  const rows = await trx.selectFrom("audit_queue").selectAll().orderBy("id").limit(rowsMax).execute();
  if (rows.length > 0)
    await trx
      .deleteFrom("audit_queue")
      .where(
        "id",
        "in",
        rows.map(({ id }) => id),
      )
      .execute();
  return rows as { id: number; salt: Buffer; body: EntryBody }[];
}

export async function readFrontier(db: Db): Promise<Frontier> {
  const { size, frontier } = await db.selectFrom("audit_tree").selectAll().executeTakeFirstOrThrow();
  const count = frontier.length / HASH_BYTES;
  const hashes = Array.from({ length: count }, (_, at) =>
    frontier.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
  return { size: Number(size), hashes };
}

export async function saveFrontier(trx: Db, { size, hashes }: Frontier): Promise<void> {
  await trx
    .updateTable("audit_tree")
    .set({ size, frontier: Buffer.concat(hashes) })
    .execute();
}

export async function insertEntries(trx: Db, rows: readonly EntryRow[]): Promise<void> {
  await trx
    .insertInto("audit_entries")
    .values(rows.map((row) => ({ ...row, body: JSON.stringify(row.body) })))
    .execute();
}

export interface EntryFilter {
  readonly kind?: AuditKind;
  readonly actor?: string;
  readonly subject?: string;
  readonly from?: string;
  readonly to?: string;
}

export async function listEntries(
  db: Db,
  filter: EntryFilter,
  { before, rows }: { before: number | undefined; rows: number },
): Promise<EntryRow[]> {
  let query = db.selectFrom("audit_entries").selectAll().orderBy("index", "desc").limit(rows);
  if (before !== undefined) query = query.where("index", "<", before);
  for (const name of ["kind", "actor", "subject"] as const) {
    const value = filter[name];
    if (value !== undefined) query = query.where(sql<boolean>`body ->> ${sql.lit(name)} = ${value}`);
  }
  if (filter.from !== undefined)
    query = query.where(sql<boolean>`left(body ->> 'time', 10) >= ${filter.from}`);
  if (filter.to !== undefined) query = query.where(sql<boolean>`left(body ->> 'time', 10) <= ${filter.to}`);
  return (await query.execute()).map(entryOf);
}

export async function readEntries(db: Db, from: number, rows: number): Promise<EntryRow[]> {
  const found = await db
    .selectFrom("audit_entries")
    .selectAll()
    .where("index", ">=", from)
    .orderBy("index")
    .limit(rows)
    .execute();
  return found.map(entryOf);
}

export async function readLeaves(db: Db, size: number): Promise<Buffer[]> {
  const rows = await db
    .selectFrom("audit_entries")
    .select("leaf")
    .where("index", "<", size)
    .orderBy("index")
    .execute();
  return rows.map(({ leaf }) => leaf);
}

/** The oldest entries that are not erased and whose day is before one. */
export async function readOld(db: Db, before: string, rows: number): Promise<EntryRow[]> {
  const found = await db
    .selectFrom("audit_entries")
    .selectAll()
    .where("body", "is not", null)
    .where(sql<boolean>`left(body ->> 'time', 10) < ${before}`)
    .orderBy("index")
    .limit(rows)
    .execute();
  return found.map(entryOf);
}

/** Takes salt and body off entries; the table lets nothing else be changed. */
export async function eraseEntries(trx: Db, indexes: readonly number[]): Promise<void> {
  await sql`set local securewave.erasing = 'on'`.execute(trx);
  await trx
    .updateTable("audit_entries")
    .set({ salt: null, body: null })
    .where("index", "in", [...indexes])
    .execute();
  await sql`set local securewave.erasing = 'off'`.execute(trx);
}

export async function insertCheckpoint(trx: Db, size: number, note: string): Promise<void> {
  await trx
    .insertInto("audit_checkpoints")
    .values({ size, note })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export function latestCheckpoint(db: Db): Promise<Selectable<Tables["audit_checkpoints"]> | undefined> {
  return db.selectFrom("audit_checkpoints").selectAll().orderBy("size", "desc").limit(1).executeTakeFirst();
}

export async function readCheckpoints(db: Db, above: number, upTo: number) {
  return db
    .selectFrom("audit_checkpoints")
    .selectAll()
    .where("size", ">", above)
    .where("size", "<=", upTo)
    .orderBy("size")
    .execute();
}

function entryOf(row: Selectable<Tables["audit_entries"]>): EntryRow {
  return { index: Number(row.index), leaf: row.leaf, salt: row.salt, body: row.body as EntryBody | null };
}
