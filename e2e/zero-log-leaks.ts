import { randomBytes } from "node:crypto";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "@securewave/foundation";
import { type Ghost, type Report, runGhosts, type Surface, textsSurface } from "@securewave/ghosts";
import { eventually, run, runOrThrow } from "@securewave/testing";
import type { ZeroLogScene } from "./zero-log-scene.ts";
import { ask, type Customer, configurationOf, makeCustomers } from "./zero-log-steps.ts";
import { addComputer, carries, SERVICE_HOST } from "./zero-log-tunnels.ts";

const GHOSTS = 3;

/** A leak that is switched on for a while, in a scene that has none. */
export interface Leak {
  readonly what: string;
  /** Surfaces that must have a trace, each with the words of a finding that must be among its hits. */
  readonly finds: Readonly<Record<string, string>>;
  /** Of those that are searched; those of `finds`, with what their controls need, when not given. */
  readonly searched?: readonly string[];
  /** Surfaces of the leak's own, in a folder for its files. */
  readonly own?: (dir: string) => readonly Surface[];
  act(leaking: Leaking): Promise<void>;
  /** Takes it back. */
  undo?(scene: ZeroLogScene): Promise<unknown>;
}

export interface Leaking {
  readonly scene: ZeroLogScene;
  readonly ghosts: readonly Ghost[];
  /** Empty, for what the leak writes. */
  readonly dir: string;
}

/** What copies of PostgreSQL's data need for their controls. */
const SOURCE = "postgres-data";

/** Lets ghosts of its own leak in one way, and searches for them. */
export async function tryLeak(scene: ZeroLogScene, leak: Leak, dir: string): Promise<Report> {
  const ids = leak.searched ?? Object.keys(leak.finds);
  const isPostgres = ids.some((id) => id.startsWith("postgres-"));
  const surfaces = scene.surfaces.filter(({ id }) => ids.includes(id) || (isPostgres && id === SOURCE));
  const act = async (ghosts: readonly Ghost[]) => {
    await leak.act({ scene, ghosts, dir });
    return undefined;
  };
  try {
    return await runGhosts({
      seed: randomBytes(32),
      clock: systemClock,
      software: { name: "SecureWave", version: "0.1.0" },
      surfaces: [...surfaces, ...(leak.own?.(dir) ?? [])],
      steps: [{ does: leak.what, act }],
      ghosts: GHOSTS,
    });
  } finally {
    await leak.undo?.(scene);
  }
}

/** What of a leak the search missed; empty when it was found. */
export function missedOf({ finds }: Leak, { surfaces }: Report): string[] {
  return Object.entries(finds).flatMap(([id, words]) => {
    const hits = surfaces.find((surface) => surface.id === id)?.hits ?? [];
    const texts = hits.map(({ kind, encoding, source }) => `${kind}: ${encoding} in ${source}`);
    return texts.some((text) => text.includes(words)) ? [] : [`${id}: ${words}`];
  });
}

/** Shows what a file has that a leak writes. */
const fileSurface = (id: string, rows: readonly number[]) => (dir: string) => [
  textsSurface({
    id,
    title: id,
    rows,
    read: async () => [{ name: id, content: await readFile(join(dir, id)) }],
  }),
];

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
          "insert into jobs.job (name, data) values ('ledger-flush', jsonb_build_object('at', $1::text))";
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

async function connectAll({ scene, ghosts }: Leaking, family: 4 | 6 = 4): Promise<Customer[]> {
  const customers = await makeCustomers(scene, ghosts);
  await Promise.all(
    customers.map(async (customer) => {
      await customer.computer.connect(configurationOf(customer), family);
      await carries(customer.computer.namespace);
    }),
  );
  return customers;
}

/** What an agent says of all that it reads of WireGuard, as a debug log would. */
const TALKATIVE = `
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
const { connect } = net;
net.connect = (options, ...rest) => {
  const callback = options.onread?.callback;
  if (callback) {
    options.onread.callback = (length, buffer) => {
      const text = Buffer.from(buffer.buffer, buffer.byteOffset, length).toString();
      for (const [line] of text.matchAll(/^endpoint=.*$/gm)) process.stderr.write(line + "\\n");
      return callback(length, buffer);
    };
  }
  return connect(options, ...rest);
};
syncBuiltinESMExports();`;

/** Of service and node, in what they write. */
export const PROGRAM_LEAKS: readonly Leak[] = [
  {
    what: "a service that logs its requests, as web frameworks do by themselves",
    finds: { "service-log": "ipv4: text" },
    async act({ scene, ghosts }) {
      scene.plane.process.kill("SIGUSR2");
      for (const ghost of ghosts) await ask(await addComputer(scene.lab, ghost), "/api/health");
    },
    undo: async ({ plane }) => plane.process.kill("SIGUSR2"),
  },
  {
    what: "a service that prints a URL with a name in it",
    finds: { "service-output": "dns_name: text" },
    async act({ scene, ghosts }) {
      scene.plane.process.kill("SIGUSR2");
      for (const ghost of ghosts) await ask(await addComputer(scene.lab, ghost), `/${ghost.dnsName}`);
    },
    undo: async ({ plane }) => plane.process.kill("SIGUSR2"),
  },
  {
    what: "metrics with a label of the device",
    finds: { metrics: "public_key: " },
    own: fileSurface("metrics", [20]),
    async act({ ghosts, dir }) {
      const lines = ghosts.map(({ publicKey }) => `device_connected{key="${publicKey}"} 1`);
      await writeFile(join(dir, "metrics"), lines.join("\n"));
    },
  },
  {
    what: "a trace with client.address, as Protocol Buffers",
    finds: { spans: "ipv4: text" },
    own: fileSurface("spans", [19]),
    async act({ ghosts, dir }) {
      const field = (value: string) => Buffer.concat([Buffer.of(0x0a, value.length), Buffer.from(value)]);
      const attributes = ghosts.flatMap(({ ipv4 }) => [field("client.address"), field(ipv4)]);
      await writeFile(join(dir, "spans"), Buffer.concat(attributes));
    },
  },
  {
    what: "a mail that says where somebody logged in from, in base64",
    finds: { mail: "ipv4: " },
    own: fileSurface("mail", [22]),
    async act({ ghosts, dir }) {
      const text = `${"Somebody logged in. ".repeat(3)}${ghosts.map(({ ipv4 }) => `It was ${ipv4}.`).join(" ")}`;
      const lines =
        Buffer.from(text)
          .toString("base64")
          .match(/.{1,76}/g) ?? [];
      const head = "Content-Transfer-Encoding: base64\r\n\r\n";
      await appendFile(join(dir, "mail"), `${head}${lines.join("\r\n")}\r\n`);
    },
  },
  {
    what: "a node that forgets nobody: its agent was killed while customers were connected",
    finds: { "node-kernel": "ipv4: text in wg show all dump" },
    async act(leaking) {
      await connectAll(leaking);
      await leaking.scene.node.killAgent();
    },
    undo: ({ node }) => node.startAgent(),
  },
  {
    what: "a node without the rule that keeps WireGuard out of connection tracking",
    finds: { "node-kernel": "ipv6: " },
    async act(leaking) {
      const { lab, node } = leaking.scene;
      for (const chain of ["raw_prerouting", "raw_output"]) {
        const flush = ["flush", "chain", "inet", `securewave_${node.interfaceName}`, chain];
        await runOrThrow("nft", flush, { namespace: lab.node });
      }
      await connectAll(leaking, 6);
    },
  },
  {
    what: "an agent that logs what it reads of WireGuard, the endpoint with it",
    finds: { "node-log": "ipv4: text" },
    async act(leaking) {
      const { scene } = leaking;
      await scene.node.killAgent();
      const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(TALKATIVE)}`;
      await scene.node.startAgent({ NODE_OPTIONS });
      const customers = await connectAll(leaking);
      await eventually(
        () => {
          const text = scene.node.lines().join("\n");
          if (!customers.every(({ ghost }) => text.includes(ghost.ipv4)))
            throw new Error("nothing is logged yet");
        },
        { timeoutMs: 60_000 },
      );
    },
  },
];
