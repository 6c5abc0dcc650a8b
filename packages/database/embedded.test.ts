import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type EmbeddedOptions, type EmbeddedPostgres, openEmbeddedPostgres } from "./embedded.ts";
import { startPostgres } from "./postgres-process.ts";
import { POSTGRES_SETTINGS } from "./postgres-settings.ts";
import { findPostgresTools, planLaunch } from "./postgres-tools.ts";

const KILLS = 50;
const CRASH_WRITER = join(import.meta.dirname, "crash-writer.ts");

let parentDir: string;
let dir: string;
let goldenDir: string;
const opened: EmbeddedPostgres[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  goldenDir = await mkdtemp(join(tmpdir(), "securewave-golden-"));
  const store = await openEmbeddedPostgres({ dir: join(goldenDir, "s"), isThrowaway: true });
  await store.close();
});

beforeEach(async () => {
  parentDir = await mkdtemp(join(tmpdir(), "securewave-store-"));
  dir = join(parentDir, "s");
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const store of opened.splice(0)) await store.close();
  await rm(parentDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

afterAll(() => rm(goldenDir, { recursive: true, force: true }));

async function open(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedPostgres> {
  const store = await openEmbeddedPostgres({ dir, ...options });
  opened.push(store);
  return store;
}

/** A store that was made and closed before: copying is faster than making one. */
async function copyStore(): Promise<void> {
  await promisify(execFile)("cp", ["-a", join(goldenDir, "s"), dir]);
}

async function query(store: EmbeddedPostgres, ...statements: string[]): Promise<pg.QueryResult["rows"]> {
  const client = new pg.Client(store.connection);
  client.on("error", () => {});
  await client.connect();
  try {
    let rows: pg.QueryResult["rows"] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
}

function startWriter(first: number) {
  const child = spawn(process.execPath, [CRASH_WRITER, dir, String(first)], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  children.push(child);
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout });
  output.on("line", (line) => lines.push(line));
  const firstLine = once(output, "line").then(([line]) => String(line));
  const ended = once(output, "close");
  return { child, lines, firstLine, ended };
}

test("a first start makes a folder that is its owner's alone, and later starts find its rows", async () => {
  let store = await open();
  expect((await stat(dir)).mode & 0o777).toBe(0o700);
  expect(store.connection.host).toMatch(/^\//);
  await query(store, "create table kept as select 7 as n");
  await store.close();
  store = await open();
  expect(await query(store, "select n from kept")).toEqual([{ n: 7 }]);
  expect(await query(store, "show data_checksums")).toEqual([{ data_checksums: "on" }]);
  expect(await query(store, "show listen_addresses")).toEqual([{ listen_addresses: "" }]);
});

test(`no acknowledged row is lost in ${KILLS} kills at random moments of four writers`, {
  timeout: 600_000,
}, async () => {
  await copyStore();
  const acknowledged: number[] = [];
  let writersMax = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const writer = startWriter(kill * 1_000_000);
    const [word, ...pids] = (await writer.firstLine).split(" ");
    expect(word, `${pids} before kill ${kill}`).toBe("ready");
    await sleep(Math.random() * 100);
    // Every other time the server is killed with its parent, so that its log must be replayed.
    const victims = kill % 2 === 0 ? pids.map(Number) : [];
    for (const pid of [...victims, writer.child.pid ?? 0]) process.kill(pid, "SIGKILL");
    await writer.ended;
    const numbers = writer.lines.filter((line) => /^\d+$/.test(line)).map(Number);
    writersMax = Math.max(writersMax, numbers.length);
    acknowledged.push(...numbers);
  }
  const store = await open();
  const rows = await query(store, "select n from numbers");
  const found = new Set(rows.map(({ n }) => n));
  expect(acknowledged.filter((n) => !found.has(n))).toEqual([]);
  expect(writersMax).toBeGreaterThan(10);
  await query(store, "create extension amcheck", "select bt_index_check('numbers_pkey', true)");
});

test("each commit is brought to the disk before it is acknowledged", async () => {
  await copyStore();
  const COMMITS = 25;
  const syncs = async (store: EmbeddedPostgres) => {
    const count =
      "select sum(fsyncs)::int as n from pg_stat_io where object = 'wal' and backend_type = 'client backend'";
    const inserts = Array.from({ length: COMMITS }, () => "insert into t values (1)");
    await query(store, "create table if not exists t (n int)");
    const client = new pg.Client(store.connection);
    await client.connect();
    const read = async () => {
      await client.query("select pg_stat_force_next_flush()");
      return Number((await client.query(count)).rows[0].n);
    };
    const before = await read();
    for (const insert of inserts) await client.query(insert);
    const after = await read();
    await client.end();
    return after - before;
  };
  const durable = await open();
  expect(await syncs(durable)).toBeGreaterThanOrEqual(COMMITS);
  await durable.close();
  expect(await syncs(await open({ isThrowaway: true }))).toBe(0);
});

test("a second process on the same folder is refused, and the first goes on", async () => {
  await copyStore();
  const store = await open();
  expect(await startWriter(0).firstLine).toBe("refused store.in_use");
  await expect(openEmbeddedPostgres({ dir })).rejects.toThrow(
    `Another SecureWave is running on the store ${dir}`,
  );
  expect(await query(store, "select 1 as n")).toEqual([{ n: 1 }]);
});

test("of processes that start together on a new folder, one gets it", { timeout: 60_000 }, async () => {
  const writers = [startWriter(0), startWriter(0), startWriter(0)];
  const words = await Promise.all(writers.map(({ firstLine }) => firstLine));
  expect(words.map((line) => line.replace(/^ready.*/, "ready")).sort()).toEqual([
    "ready",
    "refused store.in_use",
    "refused store.in_use",
  ]);
  expect(await readdir(dir)).toEqual(["pgdata"]);
});

test("the server stops when its process is killed", async () => {
  await copyStore();
  const writer = startWriter(0);
  const [, server] = (await writer.firstLine).split(" ");
  writer.child.kill("SIGKILL");
  const pidFile = join(dir, "pgdata", "postmaster.pid");
  await expect.poll(() => readFile(pidFile, "utf8").catch(() => "gone"), { timeout: 10_000 }).toBe("gone");
  expect(Number(server)).toBeGreaterThan(1);
});

test("a server that a killed process left behind is ended and taken over with its rows", async () => {
  await copyStore();
  const tools = await findPostgresTools();
  const dataDir = join(dir, "pgdata");
  const orphan = startPostgres({
    postgresPath: tools.postgresPath,
    launch: await planLaunch(tools, await stat(dataDir)),
    dataDir,
    socketDir: dataDir,
    settings: POSTGRES_SETTINGS,
    onLog: () => {},
  });
  await expect
    .poll(() => readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => ""))
    .toContain("ready");
  const store = await open();
  await orphan.exited;
  expect(store.processIds()).not.toContain(orphan.pid);
});

test("a process number in a stale postmaster.pid that meanwhile belongs to another process hinders no start", async () => {
  await copyStore();
  await writeFile(
    join(dir, "pgdata", "postmaster.pid"),
    `${process.ppid}\n${dir}/pgdata\n1\n5432\n\n\n\nready   \n`,
  );
  const store = await open();
  expect(store.processIds()[0]).not.toBe(process.ppid);
});

test("a server that crashes is started again, and its folder stays locked", { timeout: 30_000 }, async () => {
  await copyStore();
  const store = await open();
  const [server = 0, ...rest] = store.processIds();
  process.kill(server, "SIGKILL");
  await expect.poll(() => store.processIds()[0], { timeout: 10_000 }).not.toBe(server);
  await expect
    .poll(() => query(store, "select 1 as n").catch(() => []), { timeout: 10_000 })
    .toEqual([{ n: 1 }]);
  expect(rest.length).toBeGreaterThan(2);

  // Of one session: PostgreSQL ends all others and goes on by itself.
  const client = new pg.Client(store.connection);
  client.on("error", () => {});
  await client.connect();
  const { rows } = await client.query("select pg_backend_pid() as pid");
  process.kill(rows[0].pid, "SIGKILL");
  await expect
    .poll(() => query(store, "select 1 as n").catch(() => []), { timeout: 10_000 })
    .toEqual([{ n: 1 }]);
  await expect
    .poll(() => query(store, "select count(*)::int as n from pg_locks where locktype = 'advisory'"))
    .toEqual([{ n: 1 }]);
});

test("what a kill left of a half-made store is cleared away", async () => {
  await mkdir(join(dir, "pgdata.new-4194305", "base"), { recursive: true });
  await open();
  expect(await readdir(dir)).toEqual(["pgdata"]);
});

test("a folder with other files, another version or a damaged store is refused and left as it is", async () => {
  const refusals = [
    {
      code: "store.unreadable",
      spoil: async () => {
        await mkdir(dir);
        await writeFile(join(dir, "holiday.jpg"), "x");
      },
    },
    { code: "store.unreadable", spoil: () => mkdir(join(dir, "pgdata"), { recursive: true }) },
    { code: "store.unreadable", spoil: () => writeFile(dir, "a file"), onlyCode: "store.not_writable" },
    {
      code: "store.wrong_version",
      spoil: async () => {
        await copyStore();
        await writeFile(join(dir, "pgdata", "PG_VERSION"), "17\n");
      },
    },
    {
      code: "store.unreadable",
      spoil: async () => {
        await copyStore();
        await rm(join(dir, "pgdata", "global", "pg_control"));
      },
    },
    {
      code: "store.unreadable",
      spoil: async () => {
        await copyStore();
        await truncate(join(dir, "pgdata", "global", "pg_control"), 100);
      },
    },
    {
      code: "store.unreadable",
      spoil: async () => {
        await copyStore();
        const controlPath = join(dir, "pgdata", "global", "pg_control");
        const bytes = await readFile(controlPath);
        bytes[80] = (bytes[80] ?? 0) ^ 1;
        await writeFile(controlPath, bytes);
      },
    },
    {
      code: "store.unreadable",
      spoil: async () => {
        await copyStore();
        await writeFile(join(dir, "pgdata", "global", "pg_control"), Buffer.alloc(8192));
      },
    },
    {
      code: "store.unreadable",
      spoil: async () => {
        await copyStore();
        await rm(join(dir, "pgdata", "pg_wal"), { recursive: true });
        await mkdir(join(dir, "pgdata", "pg_wal"));
      },
    },
  ];
  for (const { code, spoil, onlyCode } of refusals) {
    await spoil();
    const before = await readdir(dir).catch(() => "no folder");
    await expect(open(), spoil.toString()).rejects.toMatchObject({
      code: onlyCode ?? code,
      message: expect.stringContaining(dir),
    });
    expect(await readdir(dir).catch(() => "no folder")).toEqual(before);
    await rm(dir, { recursive: true });
  }
});

test("a folder that cannot be made or written is refused", async () => {
  await writeFile(join(parentDir, "file"), "");
  await expect(open({ dir: join(parentDir, "file", "s") })).rejects.toMatchObject({
    code: "store.not_writable",
  });
  if (process.platform !== "linux") return;
  await expect(open({ dir: "/sys/securewave" })).rejects.toMatchObject({ code: "store.not_writable" });
});

test("a folder with a long path works through a socket elsewhere", async () => {
  const store = await open({ dir: join(parentDir, "x".repeat(100)) });
  expect(Buffer.byteLength(`${store.connection.host}/.s.PGSQL.5432`)).toBeLessThanOrEqual(103);
  expect(await query(store, "select 1 as n")).toEqual([{ n: 1 }]);
  await rm(String(store.connection.host), { recursive: true });
});

test("no value of a statement reaches the log lines", async () => {
  await copyStore();
  const lines: string[] = [];
  const store = await open({ onLog: (line) => lines.push(line) });
  await query(store, "create table people (mail text unique)", "insert into people values ('canary')");
  const bad = ["insert into people values ('canary')", "select 'canary'::int", "select canary"];
  for (const statement of bad) await expect(query(store, statement)).rejects.toThrow();
  await query(store, "do $$ begin raise warning 'canary'; end $$").catch(() => {});
  await store.close();
  expect(lines.join("\n")).toContain("ready to accept connections");
  expect(lines.join("\n")).not.toContain("canary");
});
