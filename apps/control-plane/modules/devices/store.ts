import type { Tables } from "@securewave/database";
import { invariant } from "@securewave/foundation";
import { type Kysely, type Selectable, sql } from "kysely";
import type { PageBounds } from "../../http/paging.ts";
import type { DeviceRow, OwnedDevice, PlacedDevice, RetiringPeer } from "./device.ts";
import { dropRetiringKey, giveAddressBack } from "./key-store.ts";
import { changeNode, listPeersOf, removePeers } from "./peer-store.ts";

type Db = Kysely<Tables>;

export type NewDevice = Omit<Selectable<Tables["devices"]>, "address_index" | "state"> & { node_id: string };

/** Where a new device's address comes from: the pool's counter, or those that were given back. */
export type AddressSource = "fresh" | "released";

const ADDRESS_FROM: Record<AddressSource, ReturnType<typeof sql>> = {
  fresh: sql`
    update address_pool set next_index = next_index + 1
    where next_index <= last_index and exists (select from host)
    returning next_index - 1 as address_index`,
  released: sql`
    delete from free_addresses
    where exists (select from host) and address_index = (
      select address_index from free_addresses
      where address_index <= (select last_index from address_pool)
      order by released limit 1 for update skip locked)
    returning address_index`,
};

/**
 * Adds a device in one statement, so in one round trip and one commit: takes a place of its account, a place
 * and a revision of its node, and an address. Each step happens only if the one before did; what is missing
 * at the end is null in a column that may not be, and the whole statement is undone: `account_id` for the
 * account's limit; `node_id`, by `devices_active_have_node`, for the node; `address_index`, by
 * `devices_active_have_place`, for the pool.
 */
export async function insertDevice(
  db: Db,
  device: NewDevice,
  devicesMax: number,
  source: AddressSource,
): Promise<{ address_index: number; revision: number }> {
  const { rows } = await sql<{ address_index: number; revision: number }>`
    with owner as (
      update accounts set devices_active = devices_active + 1
      where id = ${device.account_id} and state = 'active' and devices_active < ${devicesMax}
      returning id
    ), host as (
      update nodes set devices = devices + 1, revision = revision + 1
      where id = ${device.node_id} and joined_on is not null and not is_draining and devices < capacity
        and exists (select from owner)
      returning id, revision
    ), address as (${ADDRESS_FROM[source]}), device as (
      insert into devices (id, account_id, name_index, name_sealed, type, state, public_key, key_origin,
        sealed_private_key, preshared_key_master, preshared_key_sealed, address_index, node_id, created_on,
        key_made_on)
      values (${device.id}, (select id from owner), ${device.name_index}, ${device.name_sealed}, ${device.type},
        'active', ${device.public_key}, ${device.key_origin}, ${device.sealed_private_key},
        ${device.preshared_key_master}, ${device.preshared_key_sealed}, (select address_index from address),
        (select id from host), ${device.created_on}, ${device.key_made_on})
      returning id, address_index
    ), peer as (
      insert into peers (node_id, public_key, device_id, revision)
      select host.id, ${device.public_key}, device.id, host.revision from host, device
      on conflict (node_id, public_key) do update
        set device_id = excluded.device_id, revision = excluded.revision, is_removed = false
    )
    select device.address_index, host.revision from device, host
  `.execute(db);
  const [placed] = rows;
  invariant(placed, "a device that was added has its place");
  return placed;
}

/** What of a device is valid for a while yet. */
const RETIRING = sql<RetiringPeer[]>`(
  select coalesce(json_agg(json_build_object('public_key', public_key, 'node_id', node_id, 'retires_on', retires_on)
    order by retires_on, public_key, node_id), '[]')
  from peers where device_id = devices.id and retires_on is not null)`.as("retiring");

function selectPlaced(db: Db) {
  return db
    .selectFrom("devices")
    .innerJoin("accounts", "accounts.id", "devices.account_id")
    .leftJoin("peers", (join) =>
      join
        .onRef("peers.device_id", "=", "devices.id")
        .on("peers.is_removed", "=", false)
        .on("peers.retires_on", "is", null),
    )
    .selectAll("devices")
    .select(["peers.revision", "accounts.number as account_number", RETIRING]);
}

export function findDevice(db: Db, id: string): Promise<PlacedDevice | undefined> {
  return selectPlaced(db).where("devices.id", "=", id).executeTakeFirst();
}

export function findActiveByName(
  db: Db,
  accountId: string,
  nameIndex: Buffer,
): Promise<PlacedDevice | undefined> {
  return selectPlaced(db)
    .where("devices.account_id", "=", accountId)
    .where("devices.name_index", "=", nameIndex)
    .where("devices.state", "=", "active")
    .executeTakeFirst();
}

export function findByPublicKey(db: Db, publicKey: string): Promise<PlacedDevice | undefined> {
  return selectPlaced(db).where("devices.public_key", "=", publicKey).executeTakeFirst();
}

/** All of an account's: they are put in the order of their names, which are sealed, by whoever can open them. */
export function listDevicesOf(db: Db, accountId: string): Promise<PlacedDevice[]> {
  return selectPlaced(db).where("devices.account_id", "=", accountId).execute();
}

/** All of an account's, for the live stream: bounded by the account's limit and what was revoked. */
export function listActiveOf(db: Db, accountId: string): Promise<PlacedDevice[]> {
  return selectPlaced(db)
    .where("devices.account_id", "=", accountId)
    .where("devices.state", "=", "active")
    .execute();
}

export function listAllDevices(
  db: Db,
  accountId: string | undefined,
  deviceId: string | undefined,
  bounds: PageBounds,
): Promise<OwnedDevice[]> {
  let query = db
    .selectFrom("devices")
    .innerJoin("accounts", "accounts.id", "devices.account_id")
    .selectAll("devices")
    .select(["accounts.number as account_number", RETIRING])
    .orderBy("devices.id")
    .limit(bounds.rows);
  if (accountId !== undefined) query = query.where("devices.account_id", "=", accountId);
  if (deviceId !== undefined) query = query.where("devices.id", "=", deviceId);
  if (bounds.after?.[0] !== undefined) query = query.where("devices.id", ">", bounds.after[0]);
  return query.execute();
}

export function updateDevice(
  db: Db,
  id: string,
  change: Partial<Pick<DeviceRow, "name_index" | "name_sealed" | "type" | "rotation_days">>,
): Promise<DeviceRow | undefined> {
  return db.updateTable("devices").set(change).where("id", "=", id).returningAll().executeTakeFirst();
}

export async function deleteDevice(db: Db, id: string): Promise<void> {
  await db.deleteFrom("devices").where("id", "=", id).where("state", "=", "revoked").execute();
}

export async function countDevices(db: Db): Promise<{ active: number; revoked: number }> {
  return db
    .selectFrom("devices")
    .select([
      sql<number>`count(*) filter (where state = 'active')`.as("active"),
      sql<number>`count(*) filter (where state = 'revoked')`.as("revoked"),
    ])
    .executeTakeFirstOrThrow();
}

export interface TakenAway {
  readonly nodeIds: readonly string[];
  readonly keys: readonly string[];
}

/** Takes all of a device's keys off all nodes at once; what retired is gone for good. */
export async function takeKeysAway(trx: Db, { id, public_key }: DeviceRow): Promise<TakenAway> {
  const peers = await listPeersOf(trx, id);
  await removePeers(trx, peers);
  const retired = await dropRetiringKey(trx, id);
  return {
    nodeIds: peers.map(({ node_id }) => node_id),
    keys: retired ? [public_key, retired.public_key] : [public_key],
  };
}

/** Takes a device out of service: its addresses go back, its secrets are forgotten. */
export async function revokeDevice(trx: Db, device: DeviceRow): Promise<TakenAway> {
  invariant(device.address_index !== null && device.node_id !== null, "an active device has its place");
  const taken = await takeKeysAway(trx, device);
  await changeNode(trx, device.node_id, -1);
  await trx
    .updateTable("devices")
    .set({
      state: "revoked",
      address_index: null,
      node_id: null,
      sealed_private_key: null,
      preshared_key_master: null,
      preshared_key_sealed: null,
    })
    .where("id", "=", device.id)
    .execute();
  await trx
    .updateTable("accounts")
    .set((account) => ({ devices_active: account("devices_active", "-", 1) }))
    .where("id", "=", device.account_id)
    .execute();
  await giveAddressBack(trx, device.address_index);
  return taken;
}

export async function assignNode(trx: Db, deviceId: string, nodeId: string): Promise<void> {
  await trx.updateTable("devices").set({ node_id: nodeId }).where("id", "=", deviceId).execute();
}
