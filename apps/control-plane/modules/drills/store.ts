import type { Tables } from "@securewave/database";
import { type Kysely, type Selectable, sql } from "kysely";
import type { PageBounds } from "../../http/paging.ts";

type Db = Kysely<Tables>;
export type DrillRow = Selectable<Tables["drill_reports"]>;

/** Older ones go. */
const KEPT = 500;

/** Our key for the lock under which reports get their numbers. */
const LOCK_KEY = 6_120_774_315;

export async function insertReport(trx: Db, report: Omit<DrillRow, "number">): Promise<DrillRow> {
  await sql`select pg_advisory_xact_lock(${LOCK_KEY})`.execute(trx);
  const { newest } = await trx
    .selectFrom("drill_reports")
    .select(({ fn }) => fn.max("number").as("newest"))
    .executeTakeFirstOrThrow();
  const number = (newest ?? 0) + 1;
  await trx
    .deleteFrom("drill_reports")
    .where("number", "<=", number - KEPT)
    .execute();
  return trx
    .insertInto("drill_reports")
    .values({ ...report, number })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function findReport(db: Db, id: string): Promise<DrillRow | undefined> {
  return db.selectFrom("drill_reports").selectAll().where("id", "=", id).executeTakeFirst();
}

export function listReports(db: Db, { rows, after }: PageBounds, scenario?: string): Promise<DrillRow[]> {
  let query = db.selectFrom("drill_reports").selectAll().orderBy("number", "desc").limit(rows);
  if (after) query = query.where("number", "<", Number(after[0]));
  if (scenario !== undefined) query = query.where("scenario", "=", scenario);
  return query.execute();
}

/** The day of the newest drill that met its targets. */
export async function newestMet(db: Db): Promise<string | undefined> {
  const row = await db
    .selectFrom("drill_reports")
    .select("carried_out_on")
    .where("outcome", "=", "met")
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.carried_out_on;
}
