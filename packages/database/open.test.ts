import { sql } from "kysely";
import pg from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  constraintOf,
  describeDatabaseError,
  isUniqueViolation,
  notNullColumnOf,
} from "./database-errors.ts";
import { notify, openDatabase } from "./open.ts";
import type { QueryReport } from "./query-report.ts";
import { openTestDatabase, type TestDatabase } from "./testing.ts";
import { runOn, setup, withDatabase } from "./testing-global-setup.ts";

let teardown: (() => Promise<void>) | undefined;
let database: TestDatabase;
const reports: QueryReport[] = [];

beforeAll(async () => {
  if (process.env.TEST_DATABASE_TEMPLATE === undefined) teardown = await setup();
  database = await openTestDatabase({ poolMax: 4, onQuery: (report) => reports.push(report) });
  await database.pool.query(
    "create table things (id int8 generated always as identity, email text not null)",
  );
  await database.pool.query("alter table things add constraint things_email_key unique (email)");
});

afterEach(() => {
  reports.length = 0;
});

afterAll(async () => {
  await database?.close();
  await teardown?.();
});

/** Ends every session of this database except the one that asks. */
async function cutConnections(): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`);
  await client.end();
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.unreachable("it should fail"),
    (error) => error,
  );
}

test("a database is opened by its url or its folder, never by both or by none", async () => {
  const rest = { poolMax: 1, statementTimeoutMs: 1000 };
  await expect(openDatabase(rest)).rejects.toThrow("by its url or by its folder");
  await expect(openDatabase({ url: "postgresql://x", dir: "/x", ...rest })).rejects.toThrow("by its url");
});

test("a database that cannot be reached is refused with a code and without its address", async () => {
  const url = "postgresql://someone:secret@127.0.0.1:9/x";
  const error = await failureOf(openDatabase({ url, poolMax: 1, statementTimeoutMs: 1000 }));
  expect(error).toMatchObject({ code: "store.unreachable", internal: "connection: ECONNREFUSED" });
  expect(JSON.stringify(error)).not.toContain("127.0.0.1");
});

test("values come back exact, and days without a time zone", async () => {
  const { rows } =
    await database.pool.query(`select 9007199254740991::int8 as large, date '2026-03-29' as day,
    timestamp '2026-03-29 02:30' as local, timestamptz '2026-03-29 02:30+00' as instant,
    array[1, null]::int8[] as numbers, array['2026-03-29']::date[] as days, array[]::date[] as none`);
  expect(rows[0]).toEqual({
    large: Number.MAX_SAFE_INTEGER,
    day: "2026-03-29",
    local: "2026-03-29 02:30:00",
    instant: new Date("2026-03-29T02:30:00Z"),
    numbers: [1, null],
    days: ["2026-03-29"],
    none: [],
  });
  await expect(database.pool.query("select 9007199254740993::int8")).rejects.toThrow("exact number");
  const at = new Date("2026-03-29T23:59:00Z");
  const { rows: days } = await database.pool.query("select $1::text as day", [at]);
  expect(days[0].day).toMatch(/^2026-03-29T23:59:00.000\+00:00$/);
});

test("errors name the constraint and the column, and hold no value in any of their fields", async () => {
  const canary = "canary@example.test";
  const insert = () => sql`insert into things (email) values (${canary})`.execute(database.db);
  await insert();
  const failures = {
    unique: await failureOf(insert()),
    notNull: await failureOf(
      sql`insert into things (email) select null where ${canary} <> ''`.execute(database.db),
    ),
    uuid: await failureOf(sql`select ${canary}::uuid`.execute(database.db)),
    integer: await failureOf(sql`select ${canary}::int4`.execute(database.db)),
    json: await failureOf(sql`select ${`{"${canary}`}::json`.execute(database.db)),
    regclass: await failureOf(sql`select ${canary}::text::regclass`.execute(database.db)),
    tsquery: await failureOf(sql`select to_tsquery(${`${canary} &`})`.execute(database.db)),
    raised: await failureOf(
      sql
        .raw(`do $$ begin raise exception '${canary}' using hint = '${canary}', detail = '${canary}'; end $$`)
        .execute(database.db),
    ),
    inTransaction: await failureOf(database.transaction((trx) => sql`select ${canary}::date`.execute(trx))),
  };
  for (const error of Object.values(failures)) {
    expect(error).toBeInstanceOf(pg.DatabaseError);
    if (!(error instanceof Error)) continue;
    const all = Object.getOwnPropertyNames(error).map((name) => String(Reflect.get(error, name)));
    expect(all.join("\n")).not.toContain("canary");
    expect(describeDatabaseError(error)).toMatch(/^SQLSTATE [0-9A-Z]{5}/);
  }
  expect(isUniqueViolation(failures.unique, "things_email_key")).toBe(true);
  expect(isUniqueViolation(failures.unique, "other_key")).toBe(false);
  expect(constraintOf(failures.unique)).toBe("things_email_key");
  expect(notNullColumnOf(failures.notNull)).toBe("email");
  expect(describeDatabaseError(failures.unique)).toContain("on things by things_email_key");
  expect(describeDatabaseError(new Error(canary))).toBe("connection: failed");
});

test("metrics learn the kind and table of a query, and none of its text or values", async () => {
  await database.db.selectFrom("accounts as a").where("a.id", "=", "canary").select("a.id").execute();
  await database.db
    .updateTable("accounts")
    .set({ created_on: "2026-01-01" })
    .where("id", "=", "canary")
    .execute();
  await database.db.deleteFrom("sessions").where("id", "=", "canary").execute();
  await sql`select ${"canary"}`.execute(database.db);
  expect(reports.map(({ kind, table }) => [kind, table])).toEqual([
    ["select", "accounts"],
    ["update", "accounts"],
    ["delete", "sessions"],
    ["raw", undefined],
  ]);
  expect(JSON.stringify(reports)).not.toContain("canary");
});

test("the pool works again after all its connections were cut, idle ones and one within a transaction", async () => {
  await Promise.all([database.ping(), database.ping(), database.ping()]);
  const transaction = database.transaction(async (trx) => {
    await sql`select 1`.execute(trx);
    await cutConnections();
    await sql`select 1`.execute(trx);
  });
  await expect(transaction).rejects.toThrow();
  await expect.poll(() => database.ping().catch(() => -1)).toBeGreaterThan(0);
  expect(database.stats().waiting).toBe(0);
});

test("it tells how many connections requests have and may have, whatever jobs do", async () => {
  await database.ping();
  const { busy, max } = database.stats().requests;
  expect([busy, max]).toEqual([0, expect.any(Number)]);
  await database.transaction(async (trx) => {
    await sql`select 1`.execute(trx);
    expect(database.stats().requests).toEqual({ busy: 1, max });
  });
});

test("a transaction that PostgreSQL gave up for another's sake is run again", async () => {
  await sql`insert into things (email) values ('counter')`.execute(database.db);
  let runs = 0;
  const step = () =>
    database.transaction(
      async (trx) => {
        runs++;
        const { rows } = await sql<{ email: string }>`select email from things where id = 2`.execute(trx);
        await sql`select pg_sleep(0.05)`.execute(trx);
        await sql`update things set email = ${`${rows[0]?.email}+`} where email like 'counter%'`.execute(trx);
      },
      { isolation: "serializable" },
    );
  await Promise.all([step(), step()]);
  expect(runs).toBeGreaterThan(2);
});

test("a listener hears messages on commit only, and learns of a gap after a reconnection", async () => {
  const heard: string[] = [];
  let gaps = 0;
  const stop = await database.listen("news", {
    onMessage: (payload) => heard.push(payload),
    onGap: () => gaps++,
  });
  await database
    .transaction(async (trx) => {
      await notify(trx, "news", "rolled back");
      throw new Error("no");
    })
    .catch(() => {});
  await database.transaction((trx) => notify(trx, "news", "one"));
  await expect.poll(() => heard).toEqual(["one"]);
  await cutConnections();
  await expect.poll(() => gaps, { timeout: 5000 }).toBe(1);
  await notify(database.db, "news", "two");
  await expect.poll(() => heard).toEqual(["one", "two"]);
  stop();
  await notify(database.db, "news", "three");
  await database.ping();
  expect(heard).toEqual(["one", "two"]);
});

test("truncating empties what tests wrote, starts identities anew and keeps what migrations filled", async () => {
  const server = process.env.TEST_DATABASE_URL ?? "";
  const template = `${process.env.TEST_DATABASE_TEMPLATE}`;
  const richer = `${template}_richer`;
  await runOn(server, `create database ${richer} template ${template}`);
  await runOn(
    withDatabase(server, richer),
    "create table seeds as select 'free' as name",
    'create table "Odd name" (id int generated always as identity, n int)',
  );
  process.env.TEST_DATABASE_TEMPLATE = richer;
  const other = await openTestDatabase({ poolMax: 1 });
  process.env.TEST_DATABASE_TEMPLATE = template;
  const write = () => other.pool.query('insert into "Odd name" (n) values (7) returning id');
  await write();
  await other.pool.query('delete from "Odd name"');
  await other.truncateAll();
  expect((await write()).rows).toEqual([{ id: 1 }]);
  await other.truncateAll();
  expect((await other.pool.query('select * from "Odd name"')).rows).toEqual([]);
  expect((await other.pool.query("select * from seeds")).rows).toEqual([{ name: "free" }]);
  await other.close();
  await runOn(server, `drop database ${richer}`);
});

test("two test databases never see each other's rows", async () => {
  const other = await openTestDatabase({ poolMax: 1 });
  await other.db.insertInto("settings").values({ name: "x", value: "1" }).execute();
  const mine = await database.db.selectFrom("settings").select("name").where("name", "=", "x").execute();
  expect(mine).toEqual([]);
  await other.truncateAll();
  expect(await other.db.selectFrom("settings").select("name").where("name", "=", "x").execute()).toEqual([]);
  await other.close();
});
