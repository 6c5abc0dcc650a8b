import {
  ARCHIVED_KIND,
  type EntryBody,
  ERASED_KIND,
  type Frontier,
  HASH_BYTES,
} from "@securewave/audit-trail";
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

/** Rows that are read or erased at once. */
const CHUNK = 2_000;

/** An act that waits for its place. */
export interface QueuedAct {
  /** Its salt, and what shows that the service put it there. */
  readonly sealed: Buffer;
  readonly body: EntryBody;
}

export async function insertQueued(db: Db, acts: readonly QueuedAct[]): Promise<void> {
  await db
    .insertInto("audit_queue")
    .values(acts.map(({ sealed, body }) => ({ salt: sealed, body: JSON.stringify(body) })))
    .execute();
}

/** Held to the end of the transaction: entries get their places one after the other. */
export async function lockTrail(trx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(5771004)`.execute(trx);
}

/** @returns false when somebody else is archiving */
export async function lockArchive(trx: Db): Promise<boolean> {
  const { rows } = await sql<{ taken: boolean }>`select pg_try_advisory_xact_lock(5771005) as taken`.execute(
    trx,
  );
  return rows[0]?.taken === true;
}

export async function takeQueued(trx: Db, rowsMax: number): Promise<QueuedAct[]> {
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
  return rows.map(({ salt, body }) => ({ sealed: salt, body: body as EntryBody }));
}

export async function readFrontier(db: Db): Promise<Frontier> {
  const { size, frontier } = await db.selectFrom("audit_tree").selectAll().executeTakeFirstOrThrow();
  const count = frontier.length / HASH_BYTES;
  const hashes = Array.from({ length: count }, (_, at) =>
    frontier.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
  return { size, hashes };
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

/** @param pattern for `ilike`, of kinds, ids and details */
export async function listEntries(
  db: Db,
  { from, to, pattern, ...equal }: EntryFilter & { readonly pattern: string | undefined },
  { before, rows }: { before: number | undefined; rows: number },
): Promise<EntryRow[]> {
  let query = db.selectFrom("audit_entries").selectAll().orderBy("index", "desc").limit(rows);
  if (before !== undefined) query = query.where("index", "<", before);
  for (const name of ["kind", "actor", "subject"] as const) {
    const value = equal[name];
    if (value !== undefined) query = query.where(sql<boolean>`body ->> ${sql.lit(name)} = ${value}`);
  }
  if (from !== undefined) query = query.where(sql<boolean>`left(body ->> 'time', 10) >= ${from}`);
  if (to !== undefined) query = query.where(sql<boolean>`left(body ->> 'time', 10) <= ${to}`);
  if (pattern !== undefined) query = query.where(sql<boolean>`${SEARCHED} ilike ${pattern}`);
  return (await query.execute()).map(entryOf);
}

/** Kinds also as they are spoken: `api_key_created` is found by "api key". */
const SEARCHED = sql`concat_ws(' ', body ->> 'kind', replace(body ->> 'kind', '_', ' '), body ->> 'actor',
  body ->> 'subject', body ->> 'origin', body ->> 'details')`;

/** Entries from one index to before another, in order; those that are missing are left out. */
export async function* entriesOf(db: Db, from: number, end: number): AsyncGenerator<EntryRow> {
  for (let next = from; next < end; ) {
    const rows = await db
      .selectFrom("audit_entries")
      .selectAll()
      .where("index", ">=", next)
      .where("index", "<", end)
      .orderBy("index")
      .limit(CHUNK)
      .execute();
    yield* rows.map(entryOf);
    next = rows.length < CHUNK ? end : (rows.at(-1)?.index ?? end) + 1;
  }
}

export async function readLeaf(db: Db, index: number): Promise<Buffer | undefined> {
  const row = await db
    .selectFrom("audit_entries")
    .select("leaf")
    .where("index", "=", index)
    .executeTakeFirst();
  return row?.leaf;
}

/** The leaves from one index to before another, in order, many at a time. */
export async function* leavesOf(db: Db, from: number, end: number): AsyncGenerator<Buffer[]> {
  for (let next = from; next < end; ) {
    const rows = await db
      .selectFrom("audit_entries")
      .select(["index", "leaf"])
      .where("index", ">=", next)
      .where("index", "<", end)
      .orderBy("index")
      .limit(CHUNK)
      .execute();
    yield rows.map(({ leaf }) => leaf);
    next = rows.length < CHUNK ? end : (rows.at(-1)?.index ?? end) + 1;
  }
}

/** The index of the first entry that is not erased. */
export async function firstKept(db: Db): Promise<number | undefined> {
  const kept = db.selectFrom("audit_entries").select("index").where("body", "is not", null);
  return (await kept.orderBy("index").limit(1).executeTakeFirst())?.index;
}

/**
 * The last entry that an entry says is in an archive, also one that waits for its place; -1 where there is none. The
 * newest such entry is never erased: whoever erases it writes a newer one.
 */
export async function archivedUpTo(db: Db): Promise<number> {
  const { rows } = await sql<{ to: number | null }>`
    select max((body -> 'details' ->> 'to')::bigint) as to
    from (select body from audit_entries union all select body from audit_queue) as acts
    where body ->> 'kind' = ${ARCHIVED_KIND}`.execute(db);
  return rows[0]?.to ?? -1;
}

/**
 * The index of the first entry that is not past its time.
 *
 * @param before the first day that is not past
 */
export async function firstYoung(db: Db, before: string): Promise<number | undefined> {
  const young = db
    .selectFrom("audit_entries")
    .select("index")
    .where(sql<boolean>`left(body ->> 'time', 10) >= ${before}`);
  return (await young.orderBy("index").limit(1).executeTakeFirst())?.index;
}

/** Takes salt and body off the entries from one index to another; the table lets nothing else be changed. */
export async function eraseEntries(trx: Db, from: number, to: number): Promise<void> {
  await sql`set local securewave.erasing = 'on'`.execute(trx);
  for (let start = from; start <= to; start += CHUNK) {
    await trx
      .updateTable("audit_entries")
      .set({ salt: null, body: null })
      .where("index", ">=", start)
      .where("index", "<=", Math.min(to, start + CHUNK - 1))
      .where("body", "is not", null)
      .execute();
  }
  await sql`set local securewave.erasing = 'off'`.execute(trx);
}

/**
 * Which entries tell of one account and of nobody else: what its owner did, and what was tried on it. What staff did,
 * to it or to others, stays: it is theirs to answer for.
 */
export async function entriesAbout(db: Db, accountId: string): Promise<number[]> {
  const rows = await db
    .selectFrom("audit_entries")
    .select("index")
    .where(sql<boolean>`body ->> 'subject' = ${accountId}`)
    .where(sql<boolean>`body ->> 'actor' in (${accountId}, 'unknown', 'system')`)
    .orderBy("index")
    .execute();
  return rows.map(({ index }) => index);
}

/** Takes salt and body off single entries. */
export async function eraseSingle(trx: Db, indexes: readonly number[]): Promise<void> {
  if (indexes.length === 0) return;
  await sql`set local securewave.erasing = 'on'`.execute(trx);
  await trx
    .updateTable("audit_entries")
    .set({ salt: null, body: null })
    .where("index", "in", indexes)
    .where("body", "is not", null)
    .execute();
  await sql`set local securewave.erasing = 'off'`.execute(trx);
}

/** How many entries of a part were erased with an account, as entries say that stand behind them. */
export async function countErasedWithAccounts(db: Db, from: number, end: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(distinct erased.index::bigint)::integer as count
    from (select body from audit_entries union all select body from audit_queue) as acts,
      jsonb_array_elements_text(body -> 'details' -> 'entries') as erased (index)
    where body ->> 'kind' = ${ERASED_KIND} and erased.index::bigint >= ${from} and erased.index::bigint < ${end}
  `.execute(db);
  return rows[0]?.count ?? 0;
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

/** The size of the first checkpoint over at least so many entries. */
export async function checkpointAtOrAbove(db: Db, size: number): Promise<number | undefined> {
  const query = db.selectFrom("audit_checkpoints").select("size").where("size", ">=", size);
  return (await query.orderBy("size").limit(1).executeTakeFirst())?.size;
}

/** The size of the last checkpoint over at most so many entries. */
export async function checkpointAtOrBelow(db: Db, size: number): Promise<number | undefined> {
  const query = db.selectFrom("audit_checkpoints").select("size").where("size", "<=", size);
  return (await query.orderBy("size", "desc").limit(1).executeTakeFirst())?.size;
}

/** By size, those over more entries than come before a part, and no more than end it. */
export async function readCheckpoints(db: Db, from: number, end: number): Promise<Map<number, string>> {
  const rows = await db
    .selectFrom("audit_checkpoints")
    .selectAll()
    .where("size", from === end ? ">=" : ">", from)
    .where("size", "<=", end)
    .execute();
  return new Map(rows.map(({ size, note }) => [size, note]));
}

function entryOf(row: Selectable<Tables["audit_entries"]>): EntryRow {
  return { index: row.index, leaf: row.leaf, salt: row.salt, body: row.body as EntryBody | null };
}
