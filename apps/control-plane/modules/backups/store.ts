import type { BackupKind, BackupVerification } from "@securewave/contracts";
import type { Tables } from "@securewave/database";
import { type Kysely, type Selectable, sql } from "kysely";
import type { BackupEvent } from "./order.ts";

type Db = Kysely<Tables>;
export type BackupRow = Selectable<Tables["backups"]>;
export type VerificationRow = Selectable<Tables["backup_verifications"]>;
export type RunRow = Selectable<Tables["backup_runs"]>;

export type Holds = Pick<Extract<BackupEvent, { kind: "holds" }>, "backups" | "damaged">;

/** Of verifications and of runs, the newest. */
const KEPT = 100;

/** Takes over what the target holds; what it holds no more goes, and what is damaged stays as it was known. */
export async function replaceAll(trx: Db, { backups, damaged }: Holds): Promise<void> {
  const ids = [...backups.map(({ id }) => id), ...damaged];
  await trx.deleteFrom("backups").where(sql<boolean>`id <> all(${ids})`).execute();
  for (const { counts, taken_at, bytes, ...rest } of backups) {
    await trx
      .insertInto("backups")
      .values({ ...rest, size_bytes: bytes, taken_at: new Date(taken_at), counts: JSON.stringify(counts) })
      .onConflict((conflict) => conflict.column("id").doNothing())
      .execute();
  }
}

/**
 * Notes of backups that nobody has verified what is wrong with them.
 *
 * @returns those of which it was not known
 */
export async function noteDamaged(trx: Db, ids: readonly string[], at: Date): Promise<string[]> {
  const known = await verificationsOf(trx, ids);
  const news = ids.filter((id) => known.find((one) => one.backup_id === id)?.outcome !== "failed");
  const detail = "Its manifest cannot be read, so that nothing of it can be restored. Make a new backup.";
  for (const backup_id of news)
    await insertVerification(trx, {
      backup_id,
      verified_at: at.toISOString(),
      outcome: "failed",
      checks: [{ name: "objects", outcome: "failed", detail }],
    });
  return news;
}

export interface ListBounds {
  readonly kind: BackupKind | undefined;
  /** The last row of the page before. */
  readonly after: { readonly takenAt: Date; readonly id: string } | undefined;
  readonly rows: number;
}

/** The newest first. */
export async function listBackups(db: Db, { kind, after, rows }: ListBounds): Promise<BackupRow[]> {
  let query = db.selectFrom("backups").selectAll().orderBy("taken_at", "desc").orderBy("id").limit(rows);
  if (kind !== undefined) query = query.where("kind", "=", kind);
  if (after !== undefined)
    query = query.where(({ eb, or, and }) =>
      or([
        eb("taken_at", "<", after.takenAt),
        and([eb("taken_at", "=", after.takenAt), eb("id", ">", after.id)]),
      ]),
    );
  return query.execute();
}

export function findBackup(db: Db, id: string): Promise<BackupRow | undefined> {
  return db.selectFrom("backups").selectAll().where("id", "=", id).executeTakeFirst();
}

/** The newest of each kind, and the oldest of the database. */
export async function endsOf(
  db: Db,
): Promise<{ newest: BackupRow[]; oldestDatabase: BackupRow | undefined }> {
  const newest = await db
    .selectFrom("backups")
    .selectAll()
    .distinctOn("kind")
    .orderBy("kind")
    .orderBy("taken_at", "desc")
    .execute();
  const oldestDatabase = await db
    .selectFrom("backups")
    .selectAll()
    .where("kind", "=", "database")
    .orderBy("taken_at")
    .limit(1)
    .executeTakeFirst();
  return { newest, oldestDatabase };
}

export async function insertVerification(trx: Db, verification: BackupVerification): Promise<void> {
  const number = await nextNumber(trx, "backup_verifications");
  const { verified_at, checks, backup_id, outcome } = verification;
  const row = { backup_id, outcome, verified_at: new Date(verified_at), checks: JSON.stringify(checks) };
  await trx
    .insertInto("backup_verifications")
    .values({ ...row, number })
    .execute();
  await trx
    .deleteFrom("backup_verifications")
    .where("number", "<=", number - KEPT)
    .execute();
}

/** The newest of each of some backups. */
export function verificationsOf(db: Db, ids: readonly string[]): Promise<VerificationRow[]> {
  if (ids.length === 0) return Promise.resolve([]);
  return db
    .selectFrom("backup_verifications")
    .selectAll()
    .distinctOn("backup_id")
    .where("backup_id", "in", [...ids])
    .orderBy("backup_id")
    .orderBy("number", "desc")
    .execute();
}

export function latestVerification(db: Db): Promise<VerificationRow | undefined> {
  return db
    .selectFrom("backup_verifications")
    .selectAll()
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** When a backup was last found good; where none was, when the oldest one was taken. */
export async function verifiedSince(db: Db): Promise<Date | undefined> {
  const good = await db
    .selectFrom("backup_verifications")
    .select(({ fn }) => fn.max("verified_at").as("at"))
    .where("outcome", "=", "passed")
    .executeTakeFirst();
  if (good?.at) return good.at;
  const oldest = await db
    .selectFrom("backups")
    .select(({ fn }) => fn.min("taken_at").as("at"))
    .executeTakeFirst();
  return oldest?.at ?? undefined;
}

export async function insertRun(trx: Db, run: Omit<RunRow, "number">): Promise<void> {
  const number = await nextNumber(trx, "backup_runs");
  await trx
    .insertInto("backup_runs")
    .values({ ...run, number })
    .execute();
  await trx
    .deleteFrom("backup_runs")
    .where("number", "<=", number - KEPT)
    .execute();
}

/** The newest of each act of the service. */
export function latestRuns(db: Db): Promise<RunRow[]> {
  return db
    .selectFrom("backup_runs")
    .selectAll()
    .distinctOn("act")
    .where("act", "<>", "restore")
    .orderBy("act")
    .orderBy("number", "desc")
    .execute();
}

async function nextNumber(trx: Db, table: "backup_runs" | "backup_verifications"): Promise<number> {
  const row = await trx
    .selectFrom(table)
    .select("number")
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
  return (row?.number ?? 0) + 1;
}

/** Restores of this database that the trail does not tell of yet; from here on it does. */
export async function takeUntoldRestores(trx: Db): Promise<RunRow[]> {
  return trx
    .updateTable("backup_runs")
    .set({ succeeded: 1 })
    .where("act", "=", "restore")
    .where("succeeded", "=", 0)
    .returningAll()
    .execute();
}
