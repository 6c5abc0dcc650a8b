import type { Tables } from "@securewave/database";
import type { Kysely, Selectable } from "kysely";
import { sql } from "kysely";
import type { PageBounds } from "../../http/paging.ts";

type Db = Kysely<Tables>;
export type Episode = Selectable<Tables["alert_episodes"]>;
export type Silence = Selectable<Tables["alert_silences"]>;

/**
 * Makes a process the one that judges, unless another did so after `staleAt`.
 *
 * @returns whether it is
 */
export async function holdWatch(db: Db, holder: string, at: Date, staleAt: Date): Promise<boolean> {
  const held = await db
    .insertInto("alert_watch")
    .values({ holder, judged_at: at })
    .onConflict((conflict) =>
      conflict
        .column("id")
        .doUpdateSet({ holder, judged_at: at })
        // A later time is one of a clock that was set back since.
        .where((row) =>
          row.or([
            row("alert_watch.holder", "=", holder),
            row("alert_watch.judged_at", "<", staleAt),
            row("alert_watch.judged_at", ">", at),
          ]),
        ),
    )
    .returning("holder")
    .executeTakeFirst();
  return held !== undefined;
}

export async function judgedAt(db: Db): Promise<Date | undefined> {
  return (await db.selectFrom("alert_watch").select("judged_at").executeTakeFirst())?.judged_at;
}

export function listOpen(db: Db): Promise<Episode[]> {
  return db.selectFrom("alert_episodes").selectAll().where("ended_at", "is", null).execute();
}

export async function countOpen(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom("alert_episodes")
    .select((row) => row.fn.countAll<number>().as("count"))
    .where("ended_at", "is", null)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** The newest first. */
export function listEpisodes(db: Db, { rows, after }: PageBounds): Promise<Episode[]> {
  const [beganAt, name] = after ?? [];
  return db
    .selectFrom("alert_episodes")
    .selectAll()
    .$if(beganAt !== undefined, (query) =>
      query.where(sql<boolean>`(began_at, name) < (${new Date(beganAt ?? 0)}, ${name})`),
    )
    .orderBy("began_at", "desc")
    .orderBy("name", "desc")
    .limit(rows)
    .execute();
}

/** Does nothing where it fires already. */
export async function begin(db: Db, name: string, severity: Episode["severity"], at: Date): Promise<void> {
  await db
    .insertInto("alert_episodes")
    .values({ name, severity, began_at: at, is_told: false })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** @returns whether this call did it */
export async function markTold(db: Db, { name, began_at }: Episode): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("alert_episodes")
    .set({ is_told: true })
    .where("name", "=", name)
    .where("began_at", "=", began_at)
    .where("is_told", "=", false)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** @returns whether this call did it */
export async function end(db: Db, { name, began_at }: Episode, at: Date): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("alert_episodes")
    // A clock that was set back must not end it before it began.
    .set({ ended_at: sql<Date>`greatest(began_at, ${at}::timestamptz)` })
    .where("name", "=", name)
    .where("began_at", "=", began_at)
    .where("ended_at", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Forgets what was over before one time, and silences that were before another. */
export async function prune(db: Db, endedBefore: Date, silentBefore: Date): Promise<void> {
  await db.deleteFrom("alert_episodes").where("ended_at", "<", endedBefore).execute();
  await db.deleteFrom("alert_silences").where("until_at", "<", silentBefore).execute();
}

export function listSilences(db: Db, at: Date): Promise<Silence[]> {
  return db.selectFrom("alert_silences").selectAll().where("until_at", ">", at).execute();
}

export async function setSilence(db: Db, silence: Silence): Promise<void> {
  const { reason, until_at } = silence;
  await db
    .insertInto("alert_silences")
    .values(silence)
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ reason, until_at }))
    .execute();
}

/** @returns whether there was one that still held */
export async function deleteSilence(db: Db, name: string, at: Date): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom("alert_silences")
    .where("name", "=", name)
    .where("until_at", ">", at)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
