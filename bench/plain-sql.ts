import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import pg from "pg";
import type { Service } from "./service.ts";

/** The store of a running service by plain SQL on connections of one's own: the limit that the API is held against. */
export interface PlainSql {
  /** Adds an account for each caller and one node, which no agent joins; and opens the connections. */
  prepare(callers: number): Promise<void>;
  /**
   * Adds what a new device adds, in one transaction of five statements: the account's counter, the node's counter with
   * its revision, an address of the pool, the device, the peer.
   */
  addDevice(caller: number): Promise<void>;
  listDevices(accountId: string, limit: number): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

const LIST = `
  select d.id, d.name_sealed, d.type, d.state, d.public_key, d.key_origin, d.node_id, d.created_on, p.revision
  from devices d left join peers p on p.device_id = d.id and not p.is_removed and p.retires_on is null
  where d.account_id = $1 order by d.id limit $2`;

export async function openPlainSql(service: Service): Promise<PlainSql> {
  const pool = new pg.Pool({ host: service.socketDir, user: "securewave", database: "postgres", max: 8 });
  const suffix = randomUUID();
  const nodeId = `node_${suffix}`;
  const accountOf = (caller: number) => `account_${caller}_${suffix}`;
  return {
    async prepare(callers) {
      await pool.query("insert into nodes (id, name, region, capacity) values ($1, $1, 'Lab', 100000)", [
        nodeId,
      ]);
      for (let caller = 0; caller < callers; caller++) {
        await pool.query(
          "insert into accounts (id, number, email_index, email_sealed, password_sealed, role, state, created_on) values ($1, $2, $3, '', '', 'customer', 'active', current_date)",
          [accountOf(caller), randomInt(2 ** 31), randomBytes(32)],
        );
      }
    },
    async addDevice(caller) {
      const client = await pool.connect();
      const [id, key] = [`device_${randomUUID()}`, generateKeyPair().publicKey];
      try {
        await client.query("begin");
        await client.query(
          "update accounts set devices_active = devices_active + 1 where id = $1 and state = 'active' and devices_active < 100000",
          [accountOf(caller)],
        );
        const node = await client.query(
          "update nodes set devices = devices + 1, revision = revision + 1 where id = $1 and devices < capacity returning revision",
          [nodeId],
        );
        const address = await client.query(
          "update address_pool set next_index = next_index + 1 where next_index <= last_index returning next_index - 1 as index",
        );
        await client.query(
          `insert into devices (id, account_id, name_index, name_sealed, type, state, public_key, key_origin, preshared_key_master, address_index, node_id, created_on)
           values ($1, $2, $6, $6, 'phone', 'active', $3, 'customer', 1, $4, $5, current_date)`,
          [id, accountOf(caller), key, address.rows[0].index, nodeId, randomBytes(61)],
        );
        await client.query(
          "insert into peers (node_id, public_key, device_id, revision) values ($1, $2, $3, $4)",
          [nodeId, key, id, node.rows[0].revision],
        );
        await client.query("commit");
      } finally {
        client.release();
      }
    },
    async listDevices(accountId, limit) {
      return JSON.stringify((await pool.query(LIST, [accountId, limit])).rows);
    },
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
