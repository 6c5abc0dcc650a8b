import type { Tables } from "@securewave/database";
import { type Insertable, type Kysely, sql } from "kysely";
import type { DeadLetter } from "./job.ts";

type Db = Kysely<Tables>;

export interface DeadRow {
  readonly job: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export async function listDeadLetters(
  db: Db,
  after: string | undefined,
  limit: number,
): Promise<DeadLetter[]> {
  const rows = await db
    .selectFrom("dead_letters")
    .select(["id", "job", "account_id", "failed_on", "attempts", "code"])
    .$if(after !== undefined, (query) => query.where("id", ">", after ?? ""))
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map(({ account_id, failed_on, ...row }) => ({
    ...row,
    accountId: account_id,
    failedOn: failed_on,
  }));
}

export async function countDeadLetters(db: Db): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom("dead_letters")
    .select(({ fn }) => ["job", fn.countAll<number>().as("count")])
    .groupBy("job")
    .execute();
  return new Map(rows.map(({ job, count }) => [job, count]));
}

/** @returns whether there is such an account, which then stays until the transaction ends */
export async function lockAccount(trx: Db, id: string): Promise<boolean> {
  const found = await trx
    .selectFrom("accounts")
    .select("id")
    .where("id", "=", id)
    .forKeyShare()
    .executeTakeFirst();
  return found !== undefined;
}

export async function insertDeadLetter(db: Db, row: Insertable<Tables["dead_letters"]>): Promise<void> {
  await db.insertInto("dead_letters").values(row).execute();
}

/** Takes a letter away. @returns the job that it was, as it was queued */
export async function takeDeadLetter(trx: Db, id: string): Promise<DeadRow | undefined> {
  const row = await trx
    .deleteFrom("dead_letters")
    .where("id", "=", id)
    .returning(["job", "account_id", "data"])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const data = row.data as DeadRow["data"]; // as `insertDeadLetter` was given them
  return { job: row.job, data: row.account_id === null ? data : { ...data, accountId: row.account_id } };
}

export interface FailedJob {
  readonly id: string;
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly retryCount: number;
  readonly code: string | null;
}

/** Those that the queue has given up: after their last attempt, or with the worker that made it. */
export async function listFailed(db: Db, names: readonly string[]): Promise<FailedJob[]> {
  const { rows } = await sql<FailedJob>`
    select id, name, coalesce(data, '{}'::jsonb) as data, retry_count as "retryCount", output ->> 'code' as code
    from jobs.job
    where name = any(${names}::text[]) and state = 'failed'
    limit 1000`.execute(db);
  return rows;
}

/** @returns whether it was still there */
export async function deleteFailed(trx: Db, { name, id }: FailedJob): Promise<boolean> {
  const { numAffectedRows } = await sql`
    delete from jobs.job where name = ${name} and id = ${id} and state = 'failed'`.execute(trx);
  return numAffectedRows === 1n;
}

export interface QueueCounts {
  readonly waiting: number;
  readonly retrying: number;
}

export async function countQueued(db: Db): Promise<Map<string, QueueCounts>> {
  const { rows } = await sql<QueueCounts & { name: string }>`
    select name, count(*) as waiting, count(*) filter (where retry_count > 0 or state = 'retry') as retrying
    from jobs.job
    where state < 'completed'
    group by name`.execute(db);
  return new Map(rows.map(({ name, waiting, retrying }) => [name, { waiting, retrying }]));
}

/**
 * The queue goes by the database's clock. Where that was set back, what is to be tried again would wait until it has
 * caught up, and what a dead worker holds would stay with him; none of these times lies an hour ahead by itself but
 * that of the next attempt.
 */
export async function mendTimes(db: Db): Promise<void> {
  await sql`
    update jobs.job set start_after = now()
    where state in ('created', 'retry') and start_after > now() + interval '2 hours'`.execute(db);
  await sql`
    update jobs.job set started_on = now(), heartbeat_on = now()
    where state = 'active' and heartbeat_on > now() + interval '1 hour'`.execute(db);
  await sql`
    update jobs.queue set monitor_claim_on = null, monitor_on = null, maintain_on = null
    where greatest(monitor_claim_on, monitor_on, maintain_on) > now() + interval '1 hour'`.execute(db);
}

/** Those that staff have left lying for too long. */
export async function deleteOldDeadLetters(db: Db, before: string): Promise<void> {
  await db.deleteFrom("dead_letters").where("failed_on", "<", before).execute();
}
