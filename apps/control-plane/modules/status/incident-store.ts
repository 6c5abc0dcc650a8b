import type { Tables } from "@securewave/database";
import { type Insertable, type Kysely, type Selectable, sql, type Updateable } from "kysely";
import type { PageBounds } from "../../http/paging.ts";

type Db = Kysely<Tables>;
export type IncidentRow = Selectable<Tables["incidents"]>;
export type UpdateRow = Selectable<Tables["incident_updates"]>;

export async function insertIncident(trx: Db, row: Insertable<Tables["incidents"]>): Promise<void> {
  await trx
    .insertInto("incidents")
    .values({ ...row, components: JSON.stringify(row.components) })
    .execute();
}

/** Locks it, so that two who post at once do it one after the other. */
export function lockIncident(trx: Db, id: string): Promise<IncidentRow | undefined> {
  return trx.selectFrom("incidents").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
}

export async function updateIncident(
  trx: Db,
  id: string,
  { components, ...change }: Updateable<Tables["incidents"]>,
): Promise<void> {
  const values = {
    ...change,
    ...(components === undefined ? {} : { components: JSON.stringify(components) }),
  };
  await trx.updateTable("incidents").set(values).where("id", "=", id).execute();
}

export async function deleteIncident(trx: Db, id: string): Promise<void> {
  await trx.deleteFrom("incidents").where("id", "=", id).execute();
}

export async function insertUpdate(trx: Db, row: Insertable<Tables["incident_updates"]>): Promise<void> {
  await trx.insertInto("incident_updates").values(row).execute();
}

export function findUpdate(trx: Db, id: string): Promise<UpdateRow | undefined> {
  return trx.selectFrom("incident_updates").selectAll().where("id", "=", id).executeTakeFirst();
}

export async function changeUpdate(trx: Db, id: string, text: string): Promise<void> {
  await trx.updateTable("incident_updates").set({ text, is_edited: true }).where("id", "=", id).execute();
}

export async function deleteUpdate(trx: Db, id: string): Promise<void> {
  await trx.deleteFrom("incident_updates").where("id", "=", id).execute();
}

export function findIncident(db: Db, id: string): Promise<IncidentRow | undefined> {
  return db.selectFrom("incidents").selectAll().where("id", "=", id).executeTakeFirst();
}

/** The newest first. */
export function listUpdates(db: Db, incidentIds: readonly string[]): Promise<UpdateRow[]> {
  return db
    .selectFrom("incident_updates")
    .selectAll()
    .where(sql<boolean>`incident_id = any(${[...incidentIds]}::text[])`)
    .orderBy("posted_at", "desc")
    .orderBy("id", "desc")
    .execute();
}

/** Those that go on, and those that were opened since. */
export function listRecent(db: Db, since: Date): Promise<IncidentRow[]> {
  return db
    .selectFrom("incidents")
    .selectAll()
    .where(({ eb, or }) => or([eb("resolved_at", "is", null), eb("opened_at", ">=", since)]))
    .orderBy("opened_at", "desc")
    .orderBy("id", "desc")
    .limit(100)
    .execute();
}

export function listIncidents(db: Db, { rows, after }: PageBounds): Promise<IncidentRow[]> {
  let query = db
    .selectFrom("incidents")
    .selectAll()
    .orderBy("opened_at", "desc")
    .orderBy("id", "desc")
    .limit(rows);
  if (after) {
    const place = sql<boolean>`(opened_at, id) < (to_timestamp(${after[0]}::float8 / 1000), ${after[1]})`;
    query = query.where(place);
  }
  return query.execute();
}
