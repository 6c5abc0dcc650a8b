import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSlowStatements, formOf } from "./slow-statements.ts";
import { openTestDatabase, type TestDatabase } from "./testing.ts";
import { setup } from "./testing-global-setup.ts";

const CANARY = "canary@example.org";
let teardown: (() => Promise<void>) | undefined;
let database: TestDatabase;

beforeAll(async () => {
  if (process.env.TEST_DATABASE_TEMPLATE === undefined) teardown = await setup();
  database = await openTestDatabase({ slowMs: 20 });
});

afterAll(async () => {
  await database?.close();
  await teardown?.();
});

test("a slow statement is remembered by its form, without its values, and a quick one is not", async () => {
  const { db, slow } = database;
  for (const mail of [CANARY, `2${CANARY}`]) {
    await sql`select pg_sleep(0.03), ${mail}::text, ${sql.lit(mail)} in (${sql.join([mail, "b", "c"])})`.execute(
      db,
    );
  }
  await sql`select ${CANARY}::text`.execute(db);
  expect(slow.count()).toBe(2);
  const [form, ...others] = slow.list();
  expect(others).toEqual([]);
  expect(form?.text).toBe("select pg_sleep(0.03), $1::text, '…' in ($…)");
  expect(form?.count).toBe(2);
  expect(form?.longestMs).toBeGreaterThanOrEqual(30);
  expect(form?.totalMs).toBeGreaterThanOrEqual(60);
  expect(JSON.stringify(slow.list())).not.toContain("canary");
});

test("statements that differ in how many rows they insert have one form", () => {
  expect(formOf("insert into t (a, b) values ($1, $2), ($3, $4),\n ($5, $6)")).toBe(
    "insert into t (a, b) values ($…), …",
  );
  expect(formOf("select 'it''s' , $1")).toBe("select '…' , $1");
});

test("however many forms there are, those that cost most stay", () => {
  const slow = createSlowStatements(10);
  slow.note("select most", 10_000);
  for (let n = 0; n < 1_000; n++) slow.note(`select ${n} from t`, 10 + n);
  expect(slow.list()).toHaveLength(200);
  expect(slow.list()[0]).toEqual({ text: "select most", count: 1, longestMs: 10_000, totalMs: 10_000 });
  expect(slow.count()).toBe(1_001);
});
