import type { Tables } from "@securewave/database";
import { type Insertable, type Kysely, type Selectable, sql } from "kysely";

type Db = Kysely<Tables>;
export type StateRow = Selectable<Tables["job_states"]>;
export type RunRow = Selectable<Tables["job_runs"]>;
export type Cause = StateRow["cause"];

const RUNS_KEPT = 50;
const isWaiting = sql<boolean>`job_states.requests > job_states.requests_done`;

export async function insertStates(db: Db, names: readonly string[], now: Date): Promise<void> {
  if (names.length === 0) return;
  await db
    .insertInto("job_states")
    .values(names.map((name) => ({ name, known_since: now, scheduled_at: now })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export function listStates(db: Db, names: readonly string[]): Promise<StateRow[]> {
  return db.selectFrom("job_states").selectAll().where("name", "in", names).execute();
}

/** With the database's own time, where there are any. */
export async function readStates(
  db: Db,
  names: readonly string[],
): Promise<{ states: StateRow[]; databaseMs: number | undefined }> {
  const states = await db
    .selectFrom("job_states")
    .selectAll()
    .select(sql<Date>`clock_timestamp()`.as("database_now"))
    .where("name", "in", names)
    .execute();
  return { states, databaseMs: states[0]?.database_now.getTime() };
}

/** Of each job, the newest. */
export function listLatestRuns(db: Db): Promise<RunRow[]> {
  return db
    .selectFrom("job_runs")
    .distinctOn("name")
    .selectAll()
    .orderBy("name")
    .orderBy("number", "desc")
    .execute();
}

export function listRuns(db: Db, name: string): Promise<RunRow[]> {
  return db.selectFrom("job_runs").selectAll().where("name", "=", name).orderBy("number", "desc").execute();
}

/**
 * Asks for a run. What waits already keeps its cause and its time where a person's act asks once more: brought forward,
 * it would tell of the act. While one runs, the next is the act's alone.
 */
export async function request(db: Db, name: string, cause: Cause, now: Date): Promise<void> {
  await db
    .insertInto("job_states")
    .values({ name, known_since: now, scheduled_at: now, requests: 1, cause })
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet((eb) => ({
        requests: eb("job_states.requests", "+", 1),
        cause:
          cause === "act"
            ? sql<Cause>`case when ${isWaiting} and job_states.holder is null then job_states.cause else 'act' end`
            : cause,
        retry_at:
          cause === "act"
            ? sql<Date | null>`case when ${isWaiting} and job_states.cause <> 'act' then job_states.retry_at end`
            : null,
      })),
    )
    .execute();
}

/** @returns whether nobody had asked yet */
export async function requestByStaff(db: Db, name: string, now: Date): Promise<boolean> {
  await insertStates(db, [name], now);
  const { numUpdatedRows } = await db
    .updateTable("job_states")
    .set((eb) => ({ requests: eb("requests", "+", 1), cause: "staff", retry_at: null }))
    .where("name", "=", name)
    .where("holder", "is", null)
    .where((eb) => eb.or([eb("requests", "=", eb.ref("requests_done")), eb("retry_at", "is not", null)]))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Takes a tick of the clock; undefined where another worker has. */
export function strike(db: Db, { name, scheduled_at }: StateRow, now: Date): Promise<StateRow | undefined> {
  return db
    .updateTable("job_states")
    .set((eb) => ({ scheduled_at: now, requests: eb("requests", "+", 1), cause: "clock", retry_at: null }))
    .where("name", "=", name)
    .where("scheduled_at", "=", scheduled_at)
    .returningAll()
    .executeTakeFirst();
}

/** Reckons its next time since another instant. */
export async function reckon(db: Db, name: string, now: Date): Promise<void> {
  await db.updateTable("job_states").set({ scheduled_at: now }).where("name", "=", name).execute();
}

/** Takes the lease, from nobody or from one who is dead; undefined where another was first, or he lives after all. */
export async function take(
  trx: Db,
  { name, beats }: StateRow,
  holder: string,
  now: Date,
): Promise<StateRow | undefined> {
  const taken = await trx
    .updateTable("job_states")
    .set((eb) => ({
      holder,
      beats: eb("beats", "+", 1),
      attempts: sql<number>`attempts + (holder is not null)::int`,
      retry_at: null,
      progress_done: null,
      progress_total: null,
      progress_what: null,
    }))
    .where("name", "=", name)
    .where("beats", "=", beats)
    .returningAll()
    .executeTakeFirst();
  if (taken === undefined) return undefined;
  await trx
    .updateTable("job_runs")
    .set({ result: "interrupted" })
    .where("name", "=", name)
    .where("result", "=", "running")
    .execute();
  const { cause, attempts } = taken;
  if (cause !== "act") await insertRun(trx, { name, started_at: now, cause, attempt: attempts + 1 });
  return taken;
}

type NewRun = Pick<Insertable<Tables["job_runs"]>, "name" | "started_at" | "cause" | "attempt">;

async function insertRun(trx: Db, run: NewRun): Promise<void> {
  const latest = await trx
    .selectFrom("job_runs")
    .select("number")
    .where("name", "=", run.name)
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
  const number = (latest?.number ?? 0) + 1;
  await trx
    .insertInto("job_runs")
    .values({ ...run, number, result: "running" })
    .execute();
  await trx
    .deleteFrom("job_runs")
    .where("name", "=", run.name)
    .where("number", "<=", number - RUNS_KEPT)
    .execute();
}

/** @returns false where the lease is another's */
export async function beat(db: Db, name: string, holder: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("job_states")
    .set((eb) => ({ beats: eb("beats", "+", 1) }))
    .where("name", "=", name)
    .where("holder", "=", holder)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function setProgress(
  db: Db,
  name: string,
  holder: string,
  progress: { readonly done: number; readonly total: number; readonly what: string | undefined },
): Promise<void> {
  await db
    .updateTable("job_states")
    .set({
      progress_done: progress.done,
      progress_total: progress.total,
      progress_what: progress.what ?? null,
    })
    .where("name", "=", name)
    .where("holder", "=", holder)
    .execute();
}

export interface Settlement {
  readonly result: "succeeded" | "failed" | "interrupted";
  readonly code: string | null;
  readonly durationMs: number;
  /** Up to which request it is done, or given up; undefined where it is to be tried again, as it was wanted. */
  readonly requestsDone: number | undefined;
  readonly cause: Cause;
  readonly attempts: number;
  readonly retryAt: Date | null;
  /** When it succeeded by the clock or staff. */
  readonly succeededAt: Date | undefined;
}

/** Gives the lease back with what came of the run; nothing where another has taken it meanwhile. */
export async function settle(trx: Db, name: string, holder: string, settled: Settlement): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable("job_states")
    .set((eb) => ({
      holder: null,
      beats: eb("beats", "+", 1),
      attempts: settled.attempts,
      retry_at: settled.retryAt,
      progress_done: null,
      progress_total: null,
      progress_what: null,
      ...(settled.requestsDone === undefined
        ? { cause: settled.cause }
        : { requests_done: settled.requestsDone }),
      ...(settled.succeededAt === undefined ? {} : { succeeded_at: settled.succeededAt }),
    }))
    .where("name", "=", name)
    .where("holder", "=", holder)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return;
  await trx
    .updateTable("job_runs")
    .set({ result: settled.result, code: settled.code, duration_ms: settled.durationMs })
    .where("name", "=", name)
    .where("result", "=", "running")
    .execute();
}
