import { openTestDatabase } from "@securewave/database/testing";
import { createJobs } from "@securewave/jobs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { catalogue, createCatalogue } from "../catalogue.ts";
import { sealed } from "../fields.ts";
import { describeFinding } from "../finding.ts";
import { table } from "../table.ts";
import { findInSchema } from "./schema.ts";
import { readSchema } from "./schema-facts.ts";

const database = await openTestDatabase();
beforeAll(async () => {
  // The queue makes its tables by itself.
  const jobs = createJobs(database, () => undefined);
  jobs.define("nothing", async () => undefined);
  await jobs.start();
  await jobs.stop();
});
afterAll(() => database.close());

const ask = async (statement: string) => (await database.pool.query(statement)).rows;

test("every table and column of the migrated schema is in the catalogue, and none goes beyond what it says", async () => {
  const findings = findInSchema(await readSchema(ask), catalogue);
  expect(findings.map(describeFinding)).toEqual([]);
});

const LEDGER = table("ledger_like", {
  what: "a test's ledger",
  class: "sealed ledger",
  whose: "customer",
  lifetime: "none",
  purpose: "to test",
  basis: "contract",
  export: { as: "usage" },
  columns: { sealed: sealed("bytes", { isUnsampled: true }) },
});

/** What is found after some statements, which are taken back, and was not before. */
async function findAfter(statements: string, listed = catalogue): Promise<string[]> {
  const client = await database.pool.connect();
  try {
    await client.query("begin");
    const find = async () => {
      const facts = await readSchema(async (statement) => (await client.query(statement)).rows);
      return findInSchema(facts, listed).map(({ rule, place }) => `${place}: ${rule}`);
    };
    const before = await find();
    await client.query(statements);
    return (await find()).filter((finding) => !before.includes(finding));
  } finally {
    await client.query("rollback");
    client.release();
  }
}

const add = (column: string, to = "devices") => `alter table ${to} add column ${column}`;

test.each([
  ["a table of sessions", "create table vpn_sessions (id text)", "vpn_sessions: listed tables"],
  ["a table in another schema", "create schema x; create table x.y (id text)", "x.y: listed tables"],
  ["a column", add("nickname text"), "devices.nickname: listed columns"],
  ["an address", add("origin inet"), "devices.origin: no addresses"],
  ["a network in an array", add("nets cidr[]"), "devices.nets: no addresses"],
  [
    "an address in a composite",
    "create type place as (a inet, b int); alter table devices add column p place",
    "devices.p: no addresses",
  ],
  [
    "an address in a domain over an array",
    "create domain homes as macaddr[]; alter table devices add column h homes",
    "devices.h: no addresses",
  ],
  ["an instant", add("added timestamptz"), "devices.added: no time finer than a day"],
  ["a range of instants", add("span tstzrange"), "devices.span: no time finer than a day"],
  ["a time of day", add("hour time", "accounts"), "accounts.hour: no time finer than a day"],
  [
    "a day that becomes an instant",
    "alter table accounts alter created_on type timestamptz",
    "accounts.created_on: no time finer than a day",
  ],
  [
    "a day that becomes a number",
    "alter table sessions alter expires_on type bigint using 0",
    "sessions.expires_on: no more than listed",
  ],
  ["milliseconds in a number", add("added_ms bigint"), "devices.added_ms: no time finer than a day"],
  ["updated_at", add("updated_at date"), "devices.updated_at: no records of use"],
  [
    "the last log-in's day",
    add("last_login_on date", "accounts"),
    "accounts.last_login_on: no records of use",
  ],
  ["a counter of bytes", add("rx_bytes bigint"), "devices.rx_bytes: no records of use"],
  ["an endpoint as text", add("endpoint text"), "devices.endpoint: no records of use"],
  ["a user agent", add("user_agent text", "sessions"), "sessions.user_agent: no records of use"],
  [
    "ids that hold a time",
    "alter table devices alter id set default clock_timestamp()::text",
    "devices.id: no telling defaults",
  ],
  [
    "who is connected",
    "alter table devices alter public_key set default inet_client_addr()::text",
    "devices.public_key: no telling defaults",
  ],
  [
    "a sequence on people",
    add("serial bigint generated always as identity", "accounts"),
    "accounts.serial: no unlisted order",
  ],
  ["a transaction's id", add("x xid8"), "devices.x: no transaction marks"],
  ["an unlogged table", "alter table recovery_codes set unlogged", "recovery_codes: no unlogged tables"],
  ["a view", "create view v as select * from devices", "v: tables only"],
  ["a materialized view", "create materialized view m as select * from devices", "m: tables only"],
  ["whole old rows in the log", "alter table devices replica identity full", "devices: no whole old rows"],
  [
    "a trigger",
    "create trigger t after insert on devices for each row execute function audit_guard()",
    "devices.t: listed triggers",
  ],
  ["a rule", "create rule r as on insert to devices do also notify x", "devices.r: no rewrite rules"],
  [
    "another state",
    "alter table accounts drop constraint accounts_state_check; alter table accounts add check (state in ('unverified', 'active', 'suspended', 'watched'))",
    "accounts.state: listed words",
  ],
  ["a dropped table", "drop table recovery_codes", "recovery_codes: no stale entries"],
  [
    "a renamed column",
    "alter table devices rename public_key to title",
    "devices.public_key: no stale entries",
  ],
  [
    "a dropped column",
    `${add("x text")}; alter table devices drop column x`,
    "devices: dropped values are gone",
  ],
  ["a publication", "create publication p for table devices", "p: no publications"],
  ["large objects", "select lo_create(0)", "pg_largeobject: listed tables"],
])("%s is found", async (_what, statements, finding) => {
  expect(await findAfter(statements)).toContain(finding);
});

const INLINE = "alter table ledger_like alter sealed set storage plain";
const UNSAMPLED = "alter table ledger_like alter sealed set statistics 0";
test.each([
  ["sampled", INLINE, "ledger_like.sealed: no samples"],
  ["compressible", UNSAMPLED, "ledger_like.sealed: one length"],
  [
    "sampled by an index",
    `${INLINE}; ${UNSAMPLED}; create index on ledger_like (md5(sealed))`,
    "ledger_like.sealed: no samples",
  ],
  [
    "sampled by statistics",
    `${INLINE}; ${UNSAMPLED}; create statistics s on (md5(sealed)) from ledger_like`,
    "ledger_like.sealed: no samples",
  ],
])("a sealed ledger that is %s is found", async (_what, statements, finding) => {
  const listed = createCatalogue([...catalogue.groups, LEDGER]);
  const create = "create table ledger_like (sealed bytea)";
  expect(await findAfter(`${create}; ${INLINE}; ${UNSAMPLED}`, listed)).toEqual([]);
  expect(await findAfter(`${create}; ${statements}`, listed)).toEqual([finding]);
});
