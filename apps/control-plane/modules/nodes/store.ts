import type { Tables } from "@securewave/database";
import type { Insertable, Kysely, Updateable } from "kysely";
import type { PageBounds } from "../../http/paging.ts";
import type { NodeRow } from "./node.ts";

type Db = Kysely<Tables>;

export function insertNode(db: Db, node: Insertable<Tables["nodes"]>): Promise<NodeRow> {
  return db.insertInto("nodes").values(node).returningAll().executeTakeFirstOrThrow();
}

/** Also one that was removed. */
export function findNode(db: Db, id: string): Promise<NodeRow | undefined> {
  return db.selectFrom("nodes").selectAll().where("id", "=", id).executeTakeFirst();
}

function selectPresent(db: Db) {
  return db.selectFrom("nodes").selectAll().where("removed_on", "is", null);
}

export function listAllNodes(db: Db): Promise<NodeRow[]> {
  return selectPresent(db).execute();
}

export function listNodesOf(db: Db, ids: readonly string[]): Promise<NodeRow[]> {
  return selectPresent(db).where("id", "in", ids).execute();
}

/** By name, and of those that had one name, by id. */
export function listNodes(
  db: Db,
  { rows, after, pattern }: PageBounds,
  isRemoved: boolean,
): Promise<NodeRow[]> {
  let query = db
    .selectFrom("nodes")
    .selectAll()
    .where("removed_on", isRemoved ? "is not" : "is", null)
    .orderBy("name")
    .orderBy("id")
    .limit(rows);
  if (after) {
    const [name = "", id = ""] = after;
    query = query.where(({ eb, refTuple, tuple }) => eb(refTuple("name", "id"), ">", tuple(name, id)));
  }
  if (pattern)
    query = query.where((node) =>
      node.or([node("name", "ilike", pattern), node("region", "ilike", pattern)]),
    );
  return query.execute();
}

export function updateNode(
  db: Db,
  id: string,
  change: Updateable<Tables["nodes"]>,
): Promise<NodeRow | undefined> {
  return db
    .updateTable("nodes")
    .set(change)
    .where("id", "=", id)
    .where("removed_on", "is", null)
    .returningAll()
    .executeTakeFirst();
}

/**
 * Uses the token up and makes the node joined; of two agents with one token, one joins. Where two machines had the
 * credential, each made the other's figures such that cannot be: the one that joins is trusted again.
 */
export function joinNode(
  db: Db,
  tokenHash: Buffer,
  now: Date,
  joined: Updateable<Tables["nodes"]>,
): Promise<NodeRow | undefined> {
  return db
    .updateTable("nodes")
    .set(({ eb, or }) => ({
      ...joined,
      join_token_hash: null,
      join_token_expires_at: null,
      counting: eb
        .case()
        .when(or([eb("cloned_on", "is", null), eb("counting", "=", "trusted")]))
        .then(eb.ref("counting"))
        .else<"lifted">("lifted")
        .end(),
    }))
    .where("join_token_hash", "=", tokenHash)
    .where("join_token_expires_at", ">", now)
    .where("removed_on", "is", null)
    .returningAll()
    .executeTakeFirst();
}

/** Devices are given to it, and taken from it, by those that hold it so. */
export function lockNode(trx: Db, id: string): Promise<NodeRow | undefined> {
  return selectPresent(trx).where("id", "=", id).forUpdate().executeTakeFirst();
}

/** Whether devices that were moved away can still use it. */
export async function hasFormerPlaces(db: Db, id: string): Promise<boolean> {
  return (await formerPlacesUntil(db, [id])).size > 0;
}

/** The last day on which devices that were moved away can use a node, of those that have any. */
export async function formerPlacesUntil(
  db: Db,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom("peers")
    .select(["node_id", ({ fn }) => fn.max("retires_on").as("until")])
    .where("retires_on", "is not", null)
    .where("node_id", "in", ids)
    .groupBy("node_id")
    .execute();
  return new Map(rows.flatMap(({ node_id, until }) => (until === null ? [] : [[node_id, until]])));
}

/** The credential stays, so that its agent can prove itself to be told. It is draining: nothing is placed on it. */
export async function removeNode(trx: Db, id: string, today: string): Promise<void> {
  await trx.deleteFrom("peers").where("node_id", "=", id).execute();
  await trx
    .updateTable("nodes")
    .set({ removed_on: today, is_draining: true, join_token_hash: null, join_token_expires_at: null })
    .where("id", "=", id)
    .execute();
}

/** Ends the credential that two machines have. @returns whether it was the node's until then */
export async function endCredential(db: Db, id: string, credential: string, today: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("nodes")
    .set({ credential: null, cloned_on: today })
    .where("id", "=", id)
    .where("credential", "=", credential)
    .where("removed_on", "is", null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Wants another credential of every node that has one. @returns how many */
export async function askCredentials(trx: Db): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable("nodes")
    .set({ is_credential_due: true })
    .where("credential", "is not", null)
    .where("removed_on", "is", null)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

/** @returns whether the node was known by the former one until then, and another was wanted */
export async function renewCredential(
  trx: Db,
  id: string,
  former: string,
  credential: string,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable("nodes")
    .set({ credential, is_credential_due: false })
    .where("id", "=", id)
    .where("credential", "=", former)
    .where("is_credential_due", "=", true)
    .where("removed_on", "is", null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Ends the credentials of those that made no other one. @returns their ids */
export async function endLateCredentials(trx: Db): Promise<string[]> {
  const rows = await trx
    .updateTable("nodes")
    .set({ credential: null, is_credential_due: false })
    .where("is_credential_due", "=", true)
    .where("removed_on", "is", null)
    .returning("id")
    .execute();
  return rows.map(({ id }) => id);
}

/** The names of nodes that have not made another credential yet. */
export async function listLateNodes(db: Db): Promise<string[]> {
  const rows = await selectPresent(db).where("is_credential_due", "=", true).orderBy("name").execute();
  return rows.map(({ name }) => name);
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
    .where("removed_on", "is", null)
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
