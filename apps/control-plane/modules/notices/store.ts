import type { Tables } from "@securewave/database";
import type { Insertable, Kysely, Selectable } from "kysely";

type Db = Kysely<Tables>;
export type NoticeRow = Selectable<Tables["notices"]>;

export async function insertNotice(trx: Db, notice: Insertable<Tables["notices"]>): Promise<void> {
  await trx.insertInto("notices").values(notice).execute();
}

export function findNotice(db: Db, id: string): Promise<NoticeRow | undefined> {
  return db.selectFrom("notices").selectAll().where("id", "=", id).executeTakeFirst();
}

export function lockNotice(trx: Db, id: string): Promise<NoticeRow | undefined> {
  return trx.selectFrom("notices").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
}

export function newestNotice(db: Db): Promise<NoticeRow | undefined> {
  return db.selectFrom("notices").selectAll().orderBy("number", "desc").executeTakeFirst();
}

/** Ids of accounts whose mail address was confirmed, after one, in their order; of a node, those with a device there. */
export async function listAddressees(
  db: Db,
  after: string,
  nodeId: string | null,
  limit: number,
): Promise<string[]> {
  let query = db
    .selectFrom("accounts")
    .select("id")
    .where("id", ">", after)
    .where("state", "!=", "unverified")
    .orderBy("id")
    .limit(limit);
  if (nodeId !== null)
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom("devices")
          .select("devices.id")
          .whereRef("devices.account_id", "=", "accounts.id")
          .where("devices.node_id", "=", nodeId),
      ),
    );
  return (await query.execute()).map(({ id }) => id);
}

export async function noteProgress(
  trx: Db,
  id: string,
  progress: Pick<NoticeRow, "letters" | "reached" | "is_complete">,
): Promise<void> {
  await trx.updateTable("notices").set(progress).where("id", "=", id).execute();
}
