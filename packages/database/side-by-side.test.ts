import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { migrate } from "./migrate.ts";
import { MIGRATIONS_DIR, readMigrations } from "./migration-files.ts";
import { type Database, openDatabase } from "./open.ts";
import { serviceLogins } from "./testing.ts";
import { runOn, setup, withDatabase } from "./testing-global-setup.ts";
import { insertAccountRow } from "./testing-rows.ts";

const WRITERS = 4;
/** How long the release before goes on once the new one has migrated. */
const TOGETHER_MS = 300;

let teardown: (() => Promise<void>) | undefined;
let serverUrl: string;
let formerDir: string;
let database: Database;
const name = `securewave_side_${process.pid}`;

beforeAll(async () => {
  if (process.env.TEST_DATABASE_TEMPLATE === undefined) teardown = await setup();
  serverUrl = process.env.TEST_DATABASE_URL ?? expect.unreachable("there is a test server");
  formerDir = await mkdtemp(join(tmpdir(), "securewave-former-"));
  const early = (await readMigrations(MIGRATIONS_DIR)).filter(({ phase }) => phase === "early");
  for (const { fileName } of early) await cp(join(MIGRATIONS_DIR, fileName), join(formerDir, fileName));
});

beforeEach(async () => {
  await runOn(serverUrl, `create database ${name}`);
  const url = withDatabase(serverUrl, name);
  database = await openDatabase({ url, logins: serviceLogins(url), poolMax: 6, statementTimeoutMs: 10_000 });
  await migrate(database.pool, { dir: formerDir });
});

afterEach(async () => {
  await database.close();
  await runOn(serverUrl, `drop database ${name}`);
});

afterAll(async () => {
  await rm(formerDir, { recursive: true });
  await teardown?.();
});

/** One customer as the release before writes them: an account, its row of the ledger, a log-in, a change, an act. */
async function serveOne({ db, transaction }: Database): Promise<string> {
  return transaction(async (trx) => {
    const id = await insertAccountRow(trx);
    await trx.insertInto("usage_ledger").values({ account_id: id }).execute();
    await trx
      .insertInto("deletions")
      .values({ account_id: id, asked_on: "2026-01-01", due_on: "2026-02-01" })
      .execute();
    await trx.deleteFrom("deletions").where("account_id", "=", id).execute();
    await trx.updateTable("accounts").set({ state: "suspended" }).where("id", "=", id).execute();
    await trx
      .insertInto("audit_queue")
      .values({ salt: Buffer.of(1), body: "{}" })
      .execute();
    await db.selectFrom("plans").select("id").execute();
    return id;
  });
}

test("the release before loses nothing and fails in nothing while the new one migrates, and beside it", async () => {
  const served: string[] = [];
  const failures: unknown[] = [];
  let isOver = false;
  const serve = async () => {
    while (!isOver)
      await serveOne(database).then(
        (id) => served.push(id),
        (error) => failures.push(error),
      );
  };
  const serving = Array.from({ length: WRITERS }, serve);
  const reader = await database.pool.connect();
  await reader.query("begin; select count(*) from accounts");
  const reading = pause(TOGETHER_MS).then(() => reader.query("commit"));
  const { applied } = await migrate(database.pool, { policy: "expand" });
  await reading;
  reader.release();
  const before = served.length;
  await pause(TOGETHER_MS);
  isOver = true;
  await Promise.all(serving);

  expect(failures).toEqual([]);
  expect(applied).toEqual((await readdir(MIGRATIONS_DIR)).filter((file) => file > "0010").sort());
  expect(served.length).toBeGreaterThan(before);
  const { rows } = await sql<{ id: string }>`select id from accounts where state = 'suspended'`.execute(
    database.db,
  );
  expect(rows.map(({ id }) => id).sort()).toEqual(served.sort());
});

test("a replica of the release before that starts again on the new schema goes on", async () => {
  await migrate(database.pool, { policy: "expand" });
  expect(await migrate(database.pool, { dir: formerDir })).toMatchObject({ applied: [] });
  expect(await serveOne(database)).toMatch(/^acc/);
});
