import type { MaintenanceMode } from "@securewave/contracts";
import type { Tables } from "@securewave/database";
import { type Insertable, type Kysely, type Selectable, sql, type Updateable } from "kysely";
import type { PageBounds } from "../../http/paging.ts";
import type { WindowRow } from "./window.ts";

type Db = Kysely<Tables>;
export type LetterRow = Selectable<Tables["maintenance_letters"]>;
export type LetterKind = LetterRow["kind"];

const MODE_SETTING = "maintenance_mode";

export async function readMode(db: Db): Promise<MaintenanceMode> {
  const row = await db
    .selectFrom("settings")
    .select("value")
    .where("name", "=", MODE_SETTING)
    .executeTakeFirst();
  return (row?.value as MaintenanceMode | undefined) ?? "off";
}

export async function writeMode(trx: Db, mode: MaintenanceMode): Promise<void> {
  const value = JSON.stringify(mode);
  await trx
    .insertInto("settings")
    .values({ name: MODE_SETTING, value })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
    .execute();
}

export function insertWindow(trx: Db, row: Insertable<Tables["maintenance_windows"]>): Promise<WindowRow> {
  return trx.insertInto("maintenance_windows").values(row).returningAll().executeTakeFirstOrThrow();
}

export function findWindow(db: Db, id: string): Promise<WindowRow | undefined> {
  return db.selectFrom("maintenance_windows").selectAll().where("id", "=", id).executeTakeFirst();
}

export function lockWindow(trx: Db, id: string): Promise<WindowRow | undefined> {
  return trx
    .selectFrom("maintenance_windows")
    .selectAll()
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
}

export function updateWindow(
  trx: Db,
  id: string,
  change: Updateable<Tables["maintenance_windows"]>,
): Promise<WindowRow> {
  return trx
    .updateTable("maintenance_windows")
    .set(change)
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Those that go on or are to come at an instant, the first one first. */
export function listOpenWindows(db: Db, now: Date): Promise<WindowRow[]> {
  return db
    .selectFrom("maintenance_windows")
    .selectAll()
    .where("is_cancelled", "=", false)
    .where("ends_at", ">", now)
    .orderBy("starts_at")
    .orderBy("id")
    .execute();
}

export function listWindowsBetween(db: Db, from: Date, to: Date): Promise<WindowRow[]> {
  return db
    .selectFrom("maintenance_windows")
    .selectAll()
    .where("starts_at", "<", to)
    .where("ends_at", ">", from)
    .execute();
}

export function listWindows(db: Db, { rows, after }: PageBounds): Promise<WindowRow[]> {
  let query = db
    .selectFrom("maintenance_windows")
    .selectAll()
    .orderBy("starts_at", "desc")
    .orderBy("id", "desc")
    .limit(rows);
  if (after) {
    const place = sql<boolean>`(starts_at, id) < (to_timestamp(${after[0]}::float8 / 1000), ${after[1]})`;
    query = query.where(place);
  }
  return query.execute();
}

/** A letter that is due; one that was told before is told anew. */
export async function putLetter(trx: Db, window_id: string, kind: LetterKind): Promise<void> {
  await trx
    .insertInto("maintenance_letters")
    .values({ window_id, kind })
    .onConflict((conflict) =>
      conflict.columns(["window_id", "kind"]).doUpdateSet({ reached: "", is_done: false }),
    )
    .execute();
}

export async function deleteLetter(trx: Db, window_id: string, kind: LetterKind): Promise<void> {
  await trx
    .deleteFrom("maintenance_letters")
    .where("window_id", "=", window_id)
    .where("kind", "=", kind)
    .execute();
}

/** Notes a reminder of each maintenance that begins soon and was announced well before. */
export async function putReminders(trx: Db, now: Date, until: Date): Promise<void> {
  await sql`
    insert into maintenance_letters (window_id, kind)
    select id, 'reminder' from maintenance_windows
    where notifies and not is_cancelled and not is_emergency and starts_at > ${now} and starts_at <= ${until}
    on conflict do nothing`.execute(trx);
}

export function listUnfinishedLetters(db: Db): Promise<LetterRow[]> {
  return db
    .selectFrom("maintenance_letters")
    .selectAll()
    .where("is_done", "=", false)
    .orderBy("window_id")
    .orderBy("kind")
    .execute();
}

export function lockLetter(trx: Db, { window_id, kind }: LetterRow): Promise<LetterRow | undefined> {
  return trx
    .selectFrom("maintenance_letters")
    .selectAll()
    .where("window_id", "=", window_id)
    .where("kind", "=", kind)
    .where("is_done", "=", false)
    .forUpdate()
    .executeTakeFirst();
}

export async function advanceLetter(
  trx: Db,
  { window_id, kind }: LetterRow,
  change: Pick<LetterRow, "reached" | "is_done">,
): Promise<void> {
  await trx
    .updateTable("maintenance_letters")
    .set(change)
    .where("window_id", "=", window_id)
    .where("kind", "=", kind)
    .execute();
}

/** @param regions only customers with a device there; undefined: all customers */
export async function listConcerned(
  trx: Db,
  afterId: string,
  rows: number,
  regions: readonly string[] | undefined,
): Promise<string[]> {
  let query = trx
    .selectFrom("accounts")
    .select("id")
    .where("role", "=", "customer")
    .where("state", "=", "active")
    .where("id", ">", afterId)
    .orderBy("id")
    .limit(rows);
  if (regions !== undefined)
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom("devices")
          .innerJoin("nodes", "nodes.id", "devices.node_id")
          .select("devices.id")
          .whereRef("devices.account_id", "=", "accounts.id")
          .where("devices.state", "=", "active")
          .where(sql<boolean>`nodes.region = any(${[...regions]}::text[])`),
      ),
    );
  return (await query.execute()).map(({ id }) => id);
}
