import type { Tables } from "@securewave/database";
import type { Kysely, Selectable } from "kysely";

type Db = Kysely<Tables>;
export type ReportRow = Selectable<Tables["zero_log_reports"]>;

/** Older ones go: who wants to keep one keeps the signed text. */
const KEPT = 30;

/** @returns its number */
export async function insertReport(trx: Db, report: Omit<ReportRow, "number">): Promise<number> {
  const latest = await trx
    .selectFrom("zero_log_reports")
    .select("number")
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
  const number = (latest?.number ?? 0) + 1;
  await trx
    .insertInto("zero_log_reports")
    .values({ ...report, number })
    .execute();
  await trx
    .deleteFrom("zero_log_reports")
    .where("number", "<=", number - KEPT)
    .execute();
  return number;
}

export function latestReport(db: Db): Promise<ReportRow | undefined> {
  return db.selectFrom("zero_log_reports").selectAll().orderBy("number", "desc").limit(1).executeTakeFirst();
}

export function listReports(db: Db): Promise<ReportRow[]> {
  return db.selectFrom("zero_log_reports").selectAll().orderBy("number", "desc").execute();
}

/** All without their texts, the newest first. */
export function listOutcomes(db: Db): Promise<Omit<ReportRow, "note">[]> {
  return db
    .selectFrom("zero_log_reports")
    .select(["number", "made_on", "outcome", "hits"])
    .orderBy("number", "desc")
    .execute();
}
