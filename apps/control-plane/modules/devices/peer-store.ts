import type { Tables } from "@securewave/database";
import type { Kysely } from "kysely";
import type { DeviceRow } from "./device.ts";

type Db = Kysely<Tables>;

/** A key on a node. */
export interface PeerPlace {
  readonly node_id: string;
  readonly public_key: string;
}

/**
 * Accounts are locked before nodes, nodes before devices: everywhere in this order. Who adds a device with a
 * key in use waits, while it holds its node, for whoever changes the device of that key.
 */
export async function lockOwner(trx: Db, accountId: string): Promise<void> {
  await trx.selectFrom("accounts").select("id").where("id", "=", accountId).forUpdate().execute();
}

/** Several nodes, in the order in which everybody locks them. */
export async function lockNodes(trx: Db, nodeIds: Iterable<string>): Promise<void> {
  const ids = [...new Set(nodeIds)];
  if (ids.length === 0) return;
  await trx.selectFrom("nodes").select("id").where("id", "in", ids).orderBy("id").forUpdate().execute();
}

/** @returns whether the node took the device: it exists, is not draining and has room */
export async function takePlace(trx: Db, nodeId: string): Promise<boolean> {
  const row = await trx
    .updateTable("nodes")
    .set((node) => ({ devices: node("devices", "+", 1) }))
    .where("id", "=", nodeId)
    .where("joined_on", "is not", null)
    .where("is_draining", "=", false)
    .whereRef("devices", "<", "capacity")
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function changeNode(trx: Db, nodeId: string, devices: number): Promise<void> {
  await trx
    .updateTable("nodes")
    .set((node) => ({ devices: node("devices", "+", devices) }))
    .where("id", "=", nodeId)
    .execute();
}

/** Makes the next revision of a node's desired state; who makes one holds the node until the commit. */
async function nextRevision(trx: Db, nodeId: string): Promise<number> {
  const { revision } = await trx
    .updateTable("nodes")
    .set((node) => ({ revision: node("revision", "+", 1) }))
    .where("id", "=", nodeId)
    .returning("revision")
    .executeTakeFirstOrThrow();
  return revision;
}

/** The device's present key on its present node; one that is there yet, retiring, stays. */
export async function addPeer(
  trx: Db,
  device: Pick<DeviceRow, "id" | "public_key">,
  nodeId: string,
): Promise<void> {
  const revision = await nextRevision(trx, nodeId);
  const present = { device_id: device.id, revision, is_removed: false, retires_on: null };
  await trx
    .insertInto("peers")
    .values({ node_id: nodeId, public_key: device.public_key, ...present })
    .onConflict((conflict) => conflict.columns(["node_id", "public_key"]).doUpdateSet(present))
    .execute();
}

/** Leaves a marker, so that a node that is away learns of it when it is back, and whose it was. */
async function removePeer(trx: Db, { node_id, public_key }: PeerPlace): Promise<void> {
  const revision = await nextRevision(trx, node_id);
  await trx
    .updateTable("peers")
    .set({ is_removed: true, retires_on: null, revision })
    .where("node_id", "=", node_id)
    .where("public_key", "=", public_key)
    .execute();
}

/** In the order in which nodes are locked. */
export async function removePeers(trx: Db, peers: readonly PeerPlace[]): Promise<void> {
  await lockNodes(
    trx,
    peers.map(({ node_id }) => node_id),
  );
  for (const peer of peers) await removePeer(trx, peer);
}

/** Where a device's keys are, also those that retire. */
export function listPeersOf(trx: Db, deviceId: string) {
  return trx
    .selectFrom("peers")
    .select(["node_id", "public_key", "retires_on"])
    .where("device_id", "=", deviceId)
    .where("is_removed", "=", false)
    .execute();
}

/** Where all keys of an account's devices are, also those that retire. */
export function listPeersOfAccount(trx: Db, accountId: string): Promise<PeerPlace[]> {
  return trx
    .selectFrom("peers")
    .innerJoin("devices", "devices.id", "peers.device_id")
    .select(["peers.node_id", "peers.public_key"])
    .where("devices.account_id", "=", accountId)
    .where("peers.is_removed", "=", false)
    .execute();
}

/** Has nodes take peers anew that they have: something of these was changed. */
export async function renewPeers(trx: Db, peers: readonly PeerPlace[]): Promise<void> {
  await lockNodes(
    trx,
    peers.map(({ node_id }) => node_id),
  );
  for (const { node_id, public_key } of peers) {
    const revision = await nextRevision(trx, node_id);
    await trx
      .updateTable("peers")
      .set({ revision })
      .where("node_id", "=", node_id)
      .where("public_key", "=", public_key)
      .execute();
  }
}

/** The present peer stays on its node until the day is over; the node's desired state is the same. */
export async function retirePresentPeer(trx: Db, deviceId: string, retiresOn: string): Promise<void> {
  await trx
    .updateTable("peers")
    .set({ retires_on: retiresOn })
    .where("device_id", "=", deviceId)
    .where("is_removed", "=", false)
    .where("retires_on", "is", null)
    .execute();
}

/**
 * A node's entries after a revision, in order, each with the address that belongs to its key; those removed say whose
 * they were, as long as the device is there.
 */
export function readPeers(db: Db, nodeId: string, afterRevision: number) {
  return db
    .selectFrom("peers")
    .leftJoin("devices", "devices.id", "peers.device_id")
    .leftJoin("accounts", "accounts.id", "devices.account_id")
    .leftJoin("plans", "plans.id", "accounts.plan_id")
    .leftJoin("retiring_keys", "retiring_keys.public_key", "peers.public_key")
    .select(({ case: choose, ref }) => {
      const isPresentKey = () => choose().when("devices.public_key", "=", ref("peers.public_key"));
      return [
        "devices.account_id",
        "accounts.number as account_number",
        "plans.tier",
        "peers.revision",
        "peers.public_key",
        "peers.is_removed",
        isPresentKey()
          .then(ref("devices.address_index"))
          .else(ref("retiring_keys.address_index"))
          .end()
          .as("address_index"),
        isPresentKey()
          .then(ref("devices.preshared_key_master"))
          .else(ref("retiring_keys.preshared_key_master"))
          .end()
          .as("preshared_key_master"),
        isPresentKey()
          .then(ref("devices.preshared_key_sealed"))
          .else(ref("retiring_keys.preshared_key_sealed"))
          .end()
          .as("preshared_key_sealed"),
      ];
    })
    .where("peers.node_id", "=", nodeId)
    .where("peers.revision", ">", afterRevision)
    .orderBy("peers.revision")
    .execute();
}
