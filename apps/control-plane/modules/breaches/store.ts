import type { Tables } from "@securewave/database";
import { type Kysely, type Selectable, sql } from "kysely";
import type { PageBounds } from "../../http/paging.ts";

type Db = Kysely<Tables>;
export type BreachRow = Selectable<Tables["breaches"]>;
export type EntryRow = Selectable<Tables["breach_entries"]>;

export async function insertBreach(trx: Db, row: Omit<BreachRow, "closed_at">): Promise<void> {
  await trx.insertInto("breaches").values(row).execute();
}

export function findBreach(db: Db, id: string): Promise<BreachRow | undefined> {
  return db.selectFrom("breaches").selectAll().where("id", "=", id).executeTakeFirst();
}

export function findOpenBreach(db: Db): Promise<BreachRow | undefined> {
  return db.selectFrom("breaches").selectAll().where("closed_at", "is", null).executeTakeFirst();
}

/** Held to the end of the transaction, so that entries get their numbers one after the other. */
export function lockBreach(trx: Db, id: string): Promise<BreachRow | undefined> {
  return trx.selectFrom("breaches").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
}

export function listBreaches(db: Db, { rows, after }: PageBounds): Promise<BreachRow[]> {
  let query = db.selectFrom("breaches").selectAll().orderBy("opened_at", "desc").orderBy("id").limit(rows);
  if (after) {
    const [openedAt = "", id = ""] = after;
    query = query.where(
      sql<boolean>`(opened_at, id) <> (${openedAt}::timestamptz, ${id}) and
        (opened_at < ${openedAt}::timestamptz or (opened_at = ${openedAt}::timestamptz and id > ${id}))`,
    );
  }
  return query.execute();
}

export async function closeBreach(trx: Db, id: string, at: Date): Promise<void> {
  await trx.updateTable("breaches").set({ closed_at: at }).where("id", "=", id).execute();
}

export async function addEntry(trx: Db, entry: Omit<EntryRow, "number">): Promise<void> {
  const { count } = await trx
    .selectFrom("breach_entries")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("breach_id", "=", entry.breach_id)
    .executeTakeFirstOrThrow();
  await trx
    .insertInto("breach_entries")
    .values({ ...entry, number: Number(count) + 1 })
    .execute();
}

export function listEntries(db: Db, breachId: string): Promise<EntryRow[]> {
  return db
    .selectFrom("breach_entries")
    .selectAll()
    .where("breach_id", "=", breachId)
    .orderBy("number")
    .execute();
}
