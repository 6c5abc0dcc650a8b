import type { Tables } from "@securewave/database";
import type { Insertable, Kysely, Updateable } from "kysely";
import type { PageBounds } from "../../http/paging.ts";
import type { NodeRow } from "./node.ts";

type Db = Kysely<Tables>;

export function insertNode(db: Db, node: Insertable<Tables["nodes"]>): Promise<NodeRow> {
  return db.insertInto("nodes").values(node).returningAll().executeTakeFirstOrThrow();
}

export function findNode(db: Db, id: string): Promise<NodeRow | undefined> {
  return db.selectFrom("nodes").selectAll().where("id", "=", id).executeTakeFirst();
}

export function listAllNodes(db: Db): Promise<NodeRow[]> {
  return db.selectFrom("nodes").selectAll().execute();
}

export function listNodes(
  db: Db,
  { rows, after, pattern }: PageBounds,
  onlyJoined: boolean,
): Promise<NodeRow[]> {
  let query = db.selectFrom("nodes").selectAll().orderBy("name").limit(rows);
  if (after) query = query.where("name", ">", after[0] ?? "");
  if (pattern)
    query = query.where((node) =>
      node.or([node("name", "ilike", pattern), node("region", "ilike", pattern)]),
    );
  if (onlyJoined) query = query.where("joined_on", "is not", null);
  return query.execute();
}

export function updateNode(
  db: Db,
  id: string,
  change: Updateable<Tables["nodes"]>,
): Promise<NodeRow | undefined> {
  return db.updateTable("nodes").set(change).where("id", "=", id).returningAll().executeTakeFirst();
}

/** Uses the token up and makes the node joined; of two agents with one token, one joins. */
export function joinNode(
  db: Db,
  tokenHash: Buffer,
  now: Date,
  joined: Updateable<Tables["nodes"]>,
): Promise<NodeRow | undefined> {
  return db
    .updateTable("nodes")
    .set({ ...joined, join_token_hash: null, join_token_expires_at: null })
    .where("join_token_hash", "=", tokenHash)
    .where("join_token_expires_at", ">", now)
    .returningAll()
    .executeTakeFirst();
}

/** @returns whether it was there and held no devices */
export async function deleteEmptyNode(db: Db, id: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom("nodes")
    .where("id", "=", id)
    .where("devices", "=", 0)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/** Forgets removals that the node has applied; who is behind them gets the whole state. */
export async function pruneRemovals(db: Db, nodeId: string, appliedRevision: number): Promise<void> {
  await db
    .deleteFrom("peers")
    .where("node_id", "=", nodeId)
    .where("is_removed", "=", true)
    .where("revision", "<=", appliedRevision)
    .execute();
  await db
    .updateTable("nodes")
    .set({ pruned_revision: appliedRevision })
    .where("id", "=", nodeId)
    .where("pruned_revision", "<", appliedRevision)
    .execute();
}

/** @returns undefined when it was not quarantined */
export function liftQuarantine(db: Db, id: string): Promise<NodeRow | undefined> {
  return db
    .updateTable("nodes")
    .set({ counting: "lifted" })
    .where("id", "=", id)
    .where("counting", "=", "quarantined")
    .returningAll()
    .executeTakeFirst();
}

export async function endQuarantine(db: Db, id: string): Promise<void> {
  await db
    .updateTable("nodes")
    .set({ counting: "trusted" })
    .where("id", "=", id)
    .where("counting", "=", "lifted")
    .execute();
}
