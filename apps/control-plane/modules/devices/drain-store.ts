import type { Tables } from "@securewave/database";
import { type Kysely, sql } from "kysely";

type Db = Kysely<Tables>;

export interface DrainingNode {
  readonly id: string;
  readonly region: string;
}

/** Where a list of devices goes on, by their owners. */
export interface Position {
  readonly account_id: string;
  readonly id: string;
}

/** Devices of one account on one node. */
export interface Household {
  readonly account_id: string;
  readonly device_ids: readonly string[];
  readonly last: Position;
}

/** Nodes that are to have no devices, and have some. */
export function listDraining(db: Db): Promise<DrainingNode[]> {
  return db
    .selectFrom("nodes")
    .select(["id", "region"])
    .where("is_draining", "=", true)
    .where("removed_on", "is", null)
    .where("devices", ">", 0)
    .orderBy("id")
    .execute();
}

export async function isDraining(trx: Db, nodeId: string): Promise<boolean> {
  const node = trx.selectFrom("nodes").select("id").where("id", "=", nodeId).where("is_draining", "=", true);
  return (await node.executeTakeFirst()) !== undefined;
}

/** Devices of a node after a position, by their owners. */
export async function listHouseholds(
  db: Db,
  nodeId: string,
  after: Position,
  devices: number,
): Promise<Household[]> {
  const { rows } = await sql<{ account_id: string; device_ids: string[] }>`
    select account_id, array_agg(id order by id) as device_ids from (
      select account_id, id from devices
      where node_id = ${nodeId} and (account_id, id) > (${after.account_id}, ${after.id})
      order by account_id, id limit ${devices}) as batch
    group by account_id order by account_id`.execute(db);
  return rows.map(({ account_id, device_ids }) => ({
    account_id,
    device_ids,
    last: { account_id, id: device_ids.at(-1) ?? "" },
  }));
}
