import type { Tables } from "@securewave/database";
import { type Insertable, type Kysely, type Selectable, sql } from "kysely";

type Db = Kysely<Tables>;
type Row<Table extends keyof Tables> = Selectable<Tables[Table]>;
export type AvailabilityQuarter = Row<"availability_quarters">;
type AvailabilityPeriod = Row<"availability_periods">;
type PerformancePeriod = Row<"performance_periods">;
type Period = AvailabilityPeriod["period"];

/** A statement takes 65,535 values, and days of many regions are more. @see PostgreSQL's message Bind */
const ROWS_MAX = 5_000;

function* portionsOf<One>(rows: readonly One[]): Generator<One[]> {
  for (let at = 0; at < rows.length; at += ROWS_MAX) yield rows.slice(at, at + ROWS_MAX);
}

/** Adds minutes to those that are there: what is added twice is there once. */
export async function addMinutes(db: Db, rows: readonly AvailabilityQuarter[]): Promise<void> {
  for (const portion of portionsOf(rows))
    await db
      .insertInto("availability_quarters")
      .values(portion)
      .onConflict((conflict) =>
        conflict.columns(["starts_at", "component"]).doUpdateSet({
          up: sql`availability_quarters.up | excluded.up`,
          degraded: sql`availability_quarters.degraded | excluded.degraded`,
          down: sql`availability_quarters.down | excluded.down`,
          maintenance: sql`availability_quarters.maintenance | excluded.maintenance`,
        }),
      )
      .execute();
}

export async function putPerformance(
  db: Db,
  rows: readonly Insertable<Tables["performance_quarters"]>[],
): Promise<void> {
  if (rows.length === 0) return;
  await db
    .insertInto("performance_quarters")
    .values([...rows])
    .onConflict((conflict) => conflict.columns(["starts_at", "process"]).doUpdateSet(PERFORMANCE_OF_NEW))
    .execute();
}

const PERFORMANCE_OF_NEW = {
  requests_floor: sql<number>`excluded.requests_floor`,
  mean_ms: sql<number>`excluded.mean_ms`,
  p95_ms: sql<number>`excluded.p95_ms`,
  error_share: sql<number>`excluded.error_share`,
  probe_ms: sql<number>`excluded.probe_ms`,
  query_ms: sql<number>`excluded.query_ms`,
  processor: sql<number>`excluded.processor`,
  memory: sql<number>`excluded.memory`,
};

export function listQuarters<Table extends "availability_quarters" | "performance_quarters">(
  db: Db,
  table: Table,
  from: Date,
  to: Date,
): Promise<Row<Table>[]> {
  const name: "availability_quarters" | "performance_quarters" = table;
  const rows = db
    .selectFrom(name)
    .selectAll()
    .where("starts_at", ">=", from)
    .where("starts_at", "<", to)
    .orderBy("starts_at")
    .execute();
  return rows as Promise<Row<Table>[]>;
}

export function listPeriods<Table extends "availability_periods" | "performance_periods">(
  db: Db,
  table: Table,
  period: Period,
  from: Date,
  to: Date,
): Promise<Row<Table>[]> {
  const name: "availability_periods" | "performance_periods" = table;
  const rows = db
    .selectFrom(name)
    .selectAll()
    .where("period", "=", period)
    .where("starts_at", ">=", from)
    .where("starts_at", "<", to)
    .orderBy("starts_at")
    .execute();
  return rows as Promise<Row<Table>[]>;
}

export async function putPeriods(
  trx: Db,
  availability: readonly AvailabilityPeriod[],
  performance: readonly PerformancePeriod[],
): Promise<void> {
  for (const portion of portionsOf(availability))
    await trx
      .insertInto("availability_periods")
      .values(portion)
      .onConflict((conflict) =>
        conflict.columns(["period", "starts_at", "component"]).doUpdateSet({
          up_minutes: sql`excluded.up_minutes`,
          degraded_minutes: sql`excluded.degraded_minutes`,
          down_minutes: sql`excluded.down_minutes`,
          maintenance_minutes: sql`excluded.maintenance_minutes`,
        }),
      )
      .execute();
  for (const portion of portionsOf(performance))
    await trx
      .insertInto("performance_periods")
      .values(portion)
      .onConflict((conflict) => conflict.columns(["period", "starts_at"]).doUpdateSet(PERFORMANCE_OF_NEW))
      .execute();
}

/** The last day that anything was summed up of; undefined where nothing was. */
export async function lastDay(db: Db): Promise<Date | undefined> {
  const row = await db
    .selectFrom("availability_periods")
    .select("starts_at")
    .where("period", "=", "day")
    .orderBy("starts_at", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.starts_at;
}

/** The quarters in which measuring began. */
export function firstQuarters(db: Db): Promise<AvailabilityQuarter[]> {
  const first = db.selectFrom("availability_quarters").select(sql<Date>`min(starts_at)`.as("first"));
  return db.selectFrom("availability_quarters").selectAll().where("starts_at", "=", first).execute();
}

/** The very first quarter stays: it tells since when there is anything to know. */
export async function deleteOlder(
  trx: Db,
  before: { readonly quarters: Date; readonly hours: Date; readonly days: Date },
): Promise<void> {
  const first = trx.selectFrom("availability_quarters").select(sql<Date>`min(starts_at)`.as("first"));
  await trx
    .deleteFrom("availability_quarters")
    .where("starts_at", "<", before.quarters)
    .where("starts_at", ">", first)
    .execute();
  await trx.deleteFrom("performance_quarters").where("starts_at", "<", before.quarters).execute();
  for (const table of ["availability_periods", "performance_periods"] as const) {
    await trx.deleteFrom(table).where("period", "=", "hour").where("starts_at", "<", before.hours).execute();
    await trx.deleteFrom(table).where("period", "=", "day").where("starts_at", "<", before.days).execute();
  }
}
