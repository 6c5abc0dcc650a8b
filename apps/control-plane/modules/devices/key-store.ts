import type { Tables } from "@securewave/database";
import { invariant } from "@securewave/foundation";
import { type Kysely, type Selectable, sql } from "kysely";
import type { DeviceRow } from "./device.ts";

type Db = Kysely<Tables>;

/** A device that something is due for. */
export interface DueDevice {
  readonly id: string;
  readonly account_id: string;
}

/** Where a list of due devices goes on. */
export interface DueBatch {
  readonly after: string;
  readonly rows: number;
}

/** Takes an address from the pool's counter or else from those that were given back; undefined when there is none. */
export async function takeAddress(trx: Db): Promise<number | undefined> {
  const fresh = await sql<{ address_index: number }>`
    update address_pool set next_index = next_index + 1
    where next_index <= last_index
    returning next_index - 1 as address_index`.execute(trx);
  if (fresh.rows[0]) return fresh.rows[0].address_index;
  const released = await sql<{ address_index: number }>`
    delete from free_addresses where address_index = (
      select address_index from free_addresses
      where address_index <= (select last_index from address_pool)
      order by released limit 1 for update skip locked)
    returning address_index`.execute(trx);
  return released.rows[0]?.address_index;
}

export async function giveAddressBack(trx: Db, address_index: number): Promise<void> {
  await trx.insertInto("free_addresses").values({ address_index }).execute();
}

export type NewKey = Pick<
  DeviceRow,
  | "public_key"
  | "key_origin"
  | "sealed_private_key"
  | "preshared_key_master"
  | "preshared_key_sealed"
  | "key_made_on"
> & { readonly address_index: number };

/** Gives a device its next key and address; the former ones are its retiring key. */
export async function replaceKey(
  trx: Db,
  device: Pick<
    DeviceRow,
    "id" | "public_key" | "preshared_key_master" | "preshared_key_sealed" | "address_index"
  >,
  key: NewKey,
  retires_on: string,
): Promise<void> {
  const { id: device_id, public_key, preshared_key_master, preshared_key_sealed, address_index } = device;
  invariant(address_index !== null, "an active device has an address");
  await trx
    .updateTable("devices")
    .set((row) => ({ ...key, key_version: row("key_version", "+", 1) }))
    .where("id", "=", device_id)
    .execute();
  await trx
    .insertInto("retiring_keys")
    .values({ public_key, device_id, address_index, preshared_key_master, preshared_key_sealed, retires_on })
    .execute();
}

/** Gives a device's present key another preshared key, agreed with its owner. */
export async function replacePresharedKey(
  trx: Db,
  deviceId: string,
  preshared_key_sealed: Buffer,
): Promise<void> {
  await trx
    .updateTable("devices")
    .set({ preshared_key_sealed, preshared_key_master: null })
    .where("id", "=", deviceId)
    .execute();
}

/** Forgets a device's retiring key where it ends before a day, or at once, and gives its address back. */
export async function dropRetiringKey(
  trx: Db,
  deviceId: string,
  before?: string,
): Promise<Selectable<Tables["retiring_keys"]> | undefined> {
  let query = trx.deleteFrom("retiring_keys").where("device_id", "=", deviceId);
  if (before !== undefined) query = query.where("retires_on", "<", before);
  const key = await query.returningAll().executeTakeFirst();
  if (key) await giveAddressBack(trx, key.address_index);
  return key;
}

/** Devices with something whose last day was before this one. */
export async function listToRetire(db: Db, today: string, { after, rows }: DueBatch): Promise<DueDevice[]> {
  const due = await sql<DueDevice>`
    select id, account_id from devices
    where id > ${after} and id in (
      select device_id from peers where retires_on < ${today}::date
      union select device_id from retiring_keys where retires_on < ${today}::date)
    order by id limit ${rows}`.execute(db);
  return due.rows;
}

const rotationDays = (usual: number) => sql<number>`coalesce(devices.rotation_days, ${usual}::integer)`;

function selectActive(db: Db, origin: DeviceRow["key_origin"], usualDays: number, { after, rows }: DueBatch) {
  return db
    .selectFrom("devices")
    .innerJoin("accounts", "accounts.id", "devices.account_id")
    .select(["devices.id", "devices.account_id"])
    .where("devices.id", ">", after)
    .where("devices.state", "=", "active")
    .where("devices.key_origin", "=", origin)
    .where("accounts.state", "=", "active")
    .where(rotationDays(usualDays), ">", 0)
    .orderBy("devices.id")
    .limit(rows);
}

/** Devices of active accounts whose keys the server made, and should make anew. */
export function listToRotate(
  db: Db,
  usualDays: number,
  today: string,
  batch: DueBatch,
): Promise<DueDevice[]> {
  return selectActive(db, "server", usualDays, batch)
    .where(sql<boolean>`devices.key_made_on + ${rotationDays(usualDays)} <= ${today}::date`)
    .execute();
}

/**
 * Devices of active accounts whose owners should make new keys, and are reminded on a day after `since` and up to
 * `today`: the day on which that was due, or a multiple of so many days later.
 */
export function listToRemind(
  db: Db,
  usualDays: number,
  { since, today, everyDays }: { since: string; today: string; everyDays: number },
  batch: DueBatch,
): Promise<DueDevice[]> {
  const due = sql`(devices.key_made_on + ${rotationDays(usualDays)})`;
  const every = sql.lit(everyDays);
  return selectActive(db, "customer", usualDays, batch)
    .where(
      sql<boolean>`${due} <= ${today}::date and (${due} > ${since}::date
        or (${today}::date - ${due}) / ${every} > (${since}::date - ${due}) / ${every})`,
    )
    .execute();
}

/** Holds back everybody else who would remind, until the commit. */
export async function lockReminders(trx: Db): Promise<string | null> {
  const query = trx.selectFrom("key_reminders").select("reminded_on").forUpdate();
  return (await query.executeTakeFirstOrThrow()).reminded_on;
}

export async function noteReminders(trx: Db, reminded_on: string): Promise<void> {
  await trx.updateTable("key_reminders").set({ reminded_on }).execute();
}
