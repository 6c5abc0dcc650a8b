/** Devices by SQL, as the API makes them: many more than it could make in the time that a benchmark has. */
import { randomBytes } from "node:crypto";
import { createId } from "@securewave/foundation";
import pg from "pg";
import type { Service } from "./service.ts";

const DEVICES_PER_ACCOUNT = 5;
const ROWS_AT_ONCE = 5000;
/** Above all numbers that the service has given out. */
const FIRST_NUMBER = 2 ** 30;

export interface FleetRows {
  /** Gives each of these nodes so many devices. The service must be started anew before it knows of all of them. */
  fill(nodeIds: readonly string[], devicesEach: number): Promise<void>;
  /** Of the states that nodes should have. */
  revisions(): Promise<ReadonlyMap<string, number>>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function openFleetRows({ socketDir }: Service): FleetRows {
  const pool = new pg.Pool({ host: socketDir, user: "securewave", database: "postgres", max: 1 });
  pool.on("error", () => undefined); // it ends with each restart of the service, and the next query opens another
  let accounts = 0;

  async function nextAddress(): Promise<number> {
    const { rows } = await pool.query("select next_index from address_pool");
    return Number(rows[0].next_index);
  }

  async function addAccounts(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => createId("account"));
    await pool.query(
      `insert into accounts (id, number, email_index, email_sealed, password_sealed, role, state, created_on, devices_active)
       select id, $2::integer + place, sha256(convert_to(id, 'UTF8')), '', '', 'customer', 'active', current_date, $3
       from unnest($1::text[]) with ordinality as new (id, place)`,
      [ids, FIRST_NUMBER + accounts, DEVICES_PER_ACCOUNT],
    );
    await pool.query("insert into usage_ledger (account_id) select unnest($1::text[])", [ids]);
    accounts += count;
    return ids;
  }

  async function addDevices(devices: readonly NewDevice[], firstAddress: number): Promise<void> {
    const ids = devices.map(() => createId("device"));
    const keys = devices.map(() => madeUpKey());
    await pool.query(
      `insert into devices (id, account_id, name_index, name_sealed, type, state, public_key, key_origin,
         preshared_key_master, address_index, node_id, created_on)
       select id, account_id, sha256(convert_to(id, 'UTF8')), '', 'phone', 'active', public_key, 'customer', 1,
         $5::integer + place - 1, node_id, current_date
       from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality
         as new (id, account_id, node_id, public_key, place)`,
      [ids, devices.map(({ account }) => account), devices.map(({ node }) => node), keys, firstAddress],
    );
    await pool.query(
      `insert into peers (node_id, public_key, device_id, revision)
       select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])`,
      [devices.map(({ node }) => node), keys, ids, devices.map(({ revision }) => revision)],
    );
  }

  return {
    async fill(nodeIds, devicesEach) {
      const before = await revisionsOf(pool);
      let address = await nextAddress();
      const owners = await addAccounts(Math.ceil((nodeIds.length * devicesEach) / DEVICES_PER_ACCOUNT));
      const devices = nodeIds.flatMap((node) =>
        Array.from({ length: devicesEach }, (_, place) => ({
          node,
          revision: (before.get(node) ?? 0) + place + 1,
        })),
      );
      for (let at = 0; at < devices.length; at += ROWS_AT_ONCE) {
        const part = devices.slice(at, at + ROWS_AT_ONCE).map((device, place) => ({
          ...device,
          account: owners[Math.floor((at + place) / DEVICES_PER_ACCOUNT)] ?? "",
        }));
        await addDevices(part, address);
        address += part.length;
      }
      await pool.query("update address_pool set next_index = $1", [address]);
      await pool.query(
        "update nodes set devices = devices + $2::integer, revision = revision + $2::integer where id = any($1)",
        [nodeIds, devicesEach],
      );
      await pool.query("vacuum (analyze)");
    },
    revisions: () => revisionsOf(pool),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

interface NewDevice {
  readonly account: string;
  readonly node: string;
  readonly revision: number;
}

async function revisionsOf(pool: pg.Pool): Promise<Map<string, number>> {
  const { rows } = await pool.query("select id, revision from nodes");
  return new Map(rows.map(({ id, revision }) => [id, Number(revision)]));
}

/** Any 32 bytes below 2^255 are a usable public key, but for some that chance does not make. */
function madeUpKey(): string {
  const bytes = randomBytes(32);
  bytes[31] = (bytes[31] ?? 0) & 127;
  return bytes.toString("base64");
}
