import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { migrate } from "./migrate.ts";
import { runOn, setup, withDatabase } from "./testing-global-setup.ts";

let teardown: (() => Promise<void>) | undefined;
let serverUrl: string;
let dir: string;
let pool: pg.Pool;
const name = `securewave_migrate_${process.pid}`;

beforeAll(async () => {
  if (process.env.TEST_DATABASE_TEMPLATE === undefined) teardown = await setup();
  serverUrl = process.env.TEST_DATABASE_URL ?? expect.unreachable("there is a test server");
});

beforeEach(async () => {
  await runOn(serverUrl, `create database ${name}`);
  pool = new pg.Pool({ connectionString: withDatabase(serverUrl, name), max: 8 });
  dir = await mkdtemp(join(tmpdir(), "securewave-migrations-"));
  await write("0001_first.sql", "create table first (id int); insert into first values (1);");
  await write("0002_second.sql", "create table second (id int);");
});

afterEach(async () => {
  await pool.end();
  // The pool's connections may still be ending. Not forced, PostgreSQL waits for them (up to 5 s); forced, it would send
  // them an error that nobody hears.
  await runOn(serverUrl, `drop database ${name}`);
  await rm(dir, { recursive: true });
});

afterAll(() => teardown?.());

const write = (fileName: string, text: string) => writeFile(join(dir, fileName), text);

async function count(table: string): Promise<number> {
  const { rows } = await pool.query(`select count(*)::int as n from ${table}`);
  return rows[0].n;
}

test("each migration is applied once, in order", async () => {
  expect(await migrate(pool, { dir })).toEqual({
    applied: ["0001_first.sql", "0002_second.sql"],
    waiting: [],
    number: 2,
  });
  await write("0003_third.sql", "insert into first values (3)");
  expect(await migrate(pool, { dir })).toMatchObject({ applied: ["0003_third.sql"], number: 3 });
  expect(await migrate(pool, { dir })).toMatchObject({ applied: [], number: 3 });
  expect(await count("first")).toBe(2);
});

test("replicas that start together apply each migration once", async () => {
  const results = await Promise.all(Array.from({ length: 6 }, () => migrate(pool, { dir })));
  expect(results.flatMap(({ applied }) => applied)).toHaveLength(2);
  expect(await count("first")).toBe(1);
});

test("a failing migration leaves nothing of itself, and says the line without quoting it", async () => {
  await write(
    "0003_third.sql",
    "create table third (id int);\ninsert into first values (4);\nselect 'secret'::int;",
  );
  await expect(migrate(pool, { dir })).rejects.toMatchObject({
    code: "store.migration_failed",
    message: expect.stringMatching(/^0003_third\.sql could not be applied: SQLSTATE 22P02 .*\(line 3\)$/),
  });
  expect(await count("first")).toBe(1);
  expect(await count("schema_migrations")).toBe(2);
  await write("0003_third.sql", "create table third (id int);");
  expect(await migrate(pool, { dir })).toMatchObject({ number: 3 });
});

test("a migration that was applied and then edited, or renamed, stops the start", async () => {
  await migrate(pool, { dir });
  await write("0002_second.sql", "create table second (id bigint);");
  await expect(migrate(pool, { dir })).rejects.toMatchObject({ code: "store.migration_edited" });
  await write("0002_second.sql", "create table second (id int);");
  await rename(join(dir, "0002_second.sql"), join(dir, "0002_other.sql"));
  await expect(migrate(pool, { dir })).rejects.toMatchObject({ code: "store.migration_edited" });
});

test("gaps, double numbers and wrong names stop the start before anything is applied", async () => {
  for (const fileName of ["0004_fourth.sql", "0002_again.sql", "3_third.sql"]) {
    await write(fileName, "");
    await expect(migrate(pool, { dir })).rejects.toMatchObject({ code: "store.migration_gap" });
    await rm(join(dir, fileName));
  }
  const { rows } = await pool.query("select to_regclass('first') as found");
  expect(rows[0].found).toBeNull();
});

test("a database that a newer SecureWave migrated is left alone", async () => {
  await migrate(pool, { dir });
  await rm(join(dir, "0002_second.sql"));
  await expect(migrate(pool, { dir })).rejects.toMatchObject({ code: "store.newer_schema" });
});

test("a migration gives way to a long transaction and gets its turn afterwards", async () => {
  await migrate(pool, { dir });
  await write("0003_third.sql", "alter table first add column more int;");
  const reader = await pool.connect();
  await reader.query("begin; select * from first");
  const migrating = migrate(pool, { dir, tableLockWaitMs: 50 });
  const startMs = performance.now();
  for (let reads = 0; reads < 5; reads++) await pool.query("select * from first");
  const waitedMs = performance.now() - startMs;
  await reader.query("commit");
  reader.release();
  expect(await migrating).toMatchObject({ applied: ["0003_third.sql"] });
  expect(waitedMs).toBeLessThan(2000);
});

describe("while the release before goes on", () => {
  test("what it cannot live with waits, and is applied once none of it is left", async () => {
    await migrate(pool, { dir });
    await write("0003_third.sql", "-- phase: expand\nalter table first add column more int;");
    await write("0004_fourth.sql", "-- phase: contract\nalter table first drop column id;");
    const first = await migrate(pool, { dir, policy: "expand" });
    expect(first).toEqual({ applied: ["0003_third.sql"], waiting: ["0004_fourth.sql"], number: 3 });
    expect(await migrate(pool, { dir, policy: "expand" })).toMatchObject({ applied: [], number: 3 });
    expect(await migrate(pool, { dir })).toEqual({ applied: ["0004_fourth.sql"], waiting: [], number: 4 });
  });

  test("nothing overtakes a file that waits", async () => {
    await migrate(pool, { dir });
    await write("0003_third.sql", "-- phase: contract\nalter table first drop column id;");
    await write("0004_fourth.sql", "-- phase: expand\nalter table first add column more int;");
    await expect(migrate(pool, { dir, policy: "expand" })).rejects.toMatchObject({
      code: "store.migration_failed",
      message: expect.stringMatching(/0004_fourth\.sql .* before 0003_third\.sql.*DATABASE_MIGRATIONS=all/),
    });
    expect(await count("schema_migrations")).toBe(2);
  });

  test("it starts on a schema that was only expanded, and not on one that was contracted", async () => {
    await write("0003_third.sql", "-- phase: expand\nalter table first add column more int;");
    await migrate(pool, { dir });
    await rm(join(dir, "0003_third.sql"));
    expect(await migrate(pool, { dir })).toMatchObject({ applied: [], number: 3 });
    await write("0003_third.sql", "-- phase: expand\nalter table first add column more int;");
    await write("0004_fourth.sql", "-- phase: contract\nalter table first drop column id;");
    await migrate(pool, { dir });
    await rm(join(dir, "0003_third.sql"));
    await rm(join(dir, "0004_fourth.sql"));
    await expect(migrate(pool, { dir })).rejects.toMatchObject({ code: "store.newer_schema" });
  });

  test("an index is built beside its writes, by one of many replicas, also after a try that failed", async () => {
    await migrate(pool, { dir });
    await pool.query("insert into first values (7), (7)");
    const build = "-- no transaction\ncreate unique index concurrently if not exists first_id on first (id);";
    await write("0003_third.sql", build);
    await expect(migrate(pool, { dir })).rejects.toMatchObject({ code: "store.migration_failed" });
    const { rows: left } = await pool.query(
      "select indisvalid from pg_index where indexrelid = 'first_id'::regclass",
    );
    expect(left).toEqual([{ indisvalid: false }]);
    await pool.query("delete from first where id = 7");
    let isOver = false;
    let writes = 0;
    const writing = (async () => {
      for (let id = 100; !isOver; id++) {
        await pool.query("insert into first values ($1)", [id]);
        writes++;
      }
    })();
    const results = await Promise.all([1, 2, 3].map(() => migrate(pool, { dir })));
    isOver = true;
    await writing;
    expect(results.flatMap(({ applied }) => applied)).toEqual(["0003_third.sql"]);
    const { rows: built } = await pool.query(
      "select indisvalid from pg_index where indexrelid = 'first_id'::regclass",
    );
    expect(built).toEqual([{ indisvalid: true }]);
    expect(writes).toBeGreaterThan(0);
  });
});
