import { randomBytes } from "node:crypto";
import type { Ghost } from "@securewave/ghosts";
import { run } from "@securewave/testing";
import type { Leak, Leaking } from "./zero-log-leaks.ts";
import type { ZeroLogScene } from "./zero-log-scene.ts";
import { addComputer, SERVICE_HOST } from "./zero-log-tunnels.ts";

const query = ({ scene }: Pick<Leaking, "scene">, statement: string, values?: unknown[]) =>
  scene.postgres.access.query(statement, values);

const random = () => randomBytes(4).readUInt32LE() >>> 1;

const PEOPLE =
  "create table if not exists people (id int, address text, bytes bigint, updated_at timestamptz)";
const SESSIONS = "create table if not exists live_sessions (address inet)";

/** Of PostgreSQL, by its settings and by tables that a service might have. */
export const STORE_LEAKS: readonly Leak[] = [
  {
    what: "log_connections, and a connection from a customer's address",
    finds: { "postgres-log": "ipv4: text" },
    async act({ scene, ghosts }) {
      await scene.postgres.set("log_connections", "on");
      for (const ghost of ghosts) {
        const { namespace } = await addComputer(scene.lab, ghost);
        const url = `telnet://${SERVICE_HOST}:${scene.postgres.port}`;
        // The start of a session, so that the server does not take it for somebody who knocks.
        await run("curl", ["-sS", "-m", "1", "-T", "-", url], { namespace, input: STARTUP });
      }
    },
    undo: ({ postgres }) => postgres.set("log_connections", undefined),
  },
  {
    what: "log_statement = all, with an address in a question",
    finds: { "postgres-log": "ipv4: text" },
    async act(leaking) {
      await leaking.scene.postgres.set("log_statement", "all");
      for (const { ipv4 } of leaking.ghosts)
        await query(leaking, `select inet '${ipv4}' << inet '198.18.0.0/15'`);
    },
    undo: ({ postgres }) => postgres.set("log_statement", undefined),
  },
  {
    what: "log_min_error_statement as PostgreSQL has it, and a statement that fails",
    finds: { "postgres-log": "ipv6: text" },
    async act(leaking) {
      for (const { ipv6 } of leaking.ghosts) {
        await query(leaking, `insert into nowhere values ('${ipv6}')`).catch(() => {});
      }
    },
  },
  {
    what: "a table of sessions, each row removed at once",
    finds: {
      "postgres-wal": "ipv4: inet",
      "postgres-archive": "ipv4: inet",
      "postgres-replica": "ipv4: inet",
      "postgres-base-backup": "ipv4: inet",
    },
    async act(leaking) {
      await query(leaking, SESSIONS);
      for (const { ipv4 } of leaking.ghosts)
        await query(leaking, "insert into live_sessions values ($1)", [ipv4]);
      await query(leaking, "delete from live_sessions");
    },
  },
  {
    what: "the same in a transaction that is rolled back",
    finds: { "postgres-wal": "ipv6: " },
    async act(leaking) {
      await query(leaking, SESSIONS);
      const rows = leaking.ghosts.map(({ ipv6 }) => `insert into live_sessions values ('${ipv6}')`);
      await query(leaking, `do $$ begin ${rows.join("; ")}; raise exception 'no'; end $$`).catch(() => {});
    },
  },
  {
    what: "wal_compression, over images of pages with addresses",
    finds: { "postgres-wal": "compressed page images" },
    async act(leaking) {
      await leaking.scene.postgres.set("wal_compression", "pglz");
      await query(leaking, PEOPLE);
      for (let copy = 0; copy < 4; copy++) {
        for (const { ipv4 } of leaking.ghosts)
          await query(leaking, "insert into people values ($1, $2)", [random(), ipv4]);
      }
      await query(leaking, "checkpoint");
      await query(leaking, "update people set bytes = 1");
    },
    undo: ({ postgres }) => postgres.set("wal_compression", undefined),
  },
  {
    what: "an UNLOGGED table, and ANALYZE",
    finds: { "postgres-wal": "ipv4: ", "postgres-statistics": "ipv4: text" },
    async act(leaking) {
      await query(leaking, "create unlogged table if not exists live (address inet)");
      const { ghosts } = leaking;
      for (const { ipv4 } of [...ghosts, ...ghosts])
        await query(leaking, "insert into live values ($1)", [ipv4]);
      await query(leaking, "analyze live");
      await query(leaking, "truncate live");
    },
  },
  {
    what: "updated_at of a row that a session touches",
    finds: { "postgres-data": "time: microseconds since 2000, little endian" },
    async act(leaking) {
      await query(leaking, PEOPLE);
      for (const { atMicroseconds = 0n } of leaking.ghosts) {
        const statement = "insert into people values ($1, '', 0, timestamptz 'epoch' + $2::interval)";
        await query(leaking, statement, [random(), `${atMicroseconds} microseconds`]);
      }
      await query(leaking, "checkpoint");
    },
  },
  {
    what: "a running count of bytes",
    finds: { "postgres-data": "received_bytes: 8 bytes, little endian" },
    async act(leaking) {
      await query(leaking, PEOPLE);
      for (const { receivedBytes } of leaking.ghosts) {
        await query(leaking, "insert into people values ($1, '', $2)", [random(), receivedBytes]);
      }
      await query(leaking, "checkpoint");
    },
  },
  {
    what: "an entry of the audit trail with an unsalted hash of an address",
    finds: { "postgres-dump": "ipv4: md5 of text, hexadecimal" },
    async act(leaking) {
      await query(leaking, "create table if not exists acts (entry jsonb)");
      for (const { ipv4 } of leaking.ghosts) {
        await query(leaking, "insert into acts select jsonb_build_object('from', md5($1))", [ipv4]);
      }
    },
  },
  {
    what: "a job of the service's own queue that names an address",
    finds: { "postgres-data": "ipv4: text", "postgres-dump": "ipv4: text" },
    async act(leaking) {
      for (const { ipv4 } of leaking.ghosts) {
        const statement =
          "insert into jobs.job (name, data, start_after) values ('account-mail', jsonb_build_object('at', $1::text), now() + interval '1 hour')";
        await query(leaking, statement, [ipv4]);
      }
    },
  },
  {
    what: "Redis that saves",
    finds: { "redis-files": "ipv4: text" },
    async act({ scene: { redis }, ghosts }) {
      await keepInRedis(redis, ghosts);
      await redis.ask("SAVE");
      await redis.ask("DEL", "sessions");
    },
  },
  {
    what: "a Redis replica that saves",
    finds: { "redis-replica": "ipv4: text" },
    async act({ scene: { redis }, ghosts }) {
      await keepInRedis(redis, ghosts);
      await redis.ask("WAIT", "1", "10000");
      await redis.askReplica("SAVE");
      await redis.ask("DEL", "sessions");
    },
  },
  {
    what: "Redis with a slow log",
    finds: { "redis-memory": "ipv6: text" },
    async act({ scene: { redis }, ghosts }) {
      await redis.set("slowlog-log-slower-than", "0");
      for (const { ipv6 } of ghosts) await redis.ask("EXISTS", `blocked:${ipv6}`);
    },
    undo: ({ redis }) => redis.set("slowlog-log-slower-than", "-1"),
  },
];

/** A start packet of PostgreSQL's protocol 3.0 for the user `postgres`. */
const STARTUP = (() => {
  const body = Buffer.from("\0\x03\0\0user\0postgres\0\0", "latin1");
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
})();

async function keepInRedis(
  { ask: askRedis }: ZeroLogScene["redis"],
  ghosts: readonly Ghost[],
): Promise<void> {
  const addresses = ghosts.map(({ ipv4 }) => ipv4).join(" ");
  await askRedis("SET", "sessions", `${addresses} ${"idle ".repeat(200)}${addresses}`, "EX", "60");
}
