import { join } from "node:path";
import { type Database, migrate, openDatabase } from "@securewave/database";
import { insertAccountRow, insertAccountRows } from "@securewave/database/testing-rows";
import { missingServer, type TestServer } from "@securewave/database/testing-server";
import { createManualClock, DAY_MS } from "@securewave/foundation";
import { requirements } from "@securewave/testing/requirements";
import { temporaryDir } from "@securewave/testing/temporary";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createLedger } from "../modules/usage/ledger.ts";
import { createFakeUsage, NODE } from "../modules/usage/testing-usage.ts";
import { restartRandom } from "./testing/seeded-crypto.ts";
import { makeServer, markAtRest, onCopyOf } from "./testing/twin-server.ts";
import { differenceOf, firstDifference, type Mark } from "./testing/write-ahead-log.ts";

vi.mock("node:crypto", async () => (await import("./testing/seeded-crypto.ts")).seededCrypto);

const needs = requirements({ others: [missingServer()] });
const ACCOUNTS = 1000;
/** Registered since the last flush, so that the ledger meets them for the first time. */
const NEW_ACCOUNTS = 40;
const FLUSH_AT = 3 * 60 + 17;
const START_MS = Date.parse("2026-03-02T04:00:00Z");
const DAYS = 3;
const TIMEOUT_MS = 120_000;

/** What an account has used by a day, in bytes. */
type Use = (account: number, day: number) => number;
const nothing: Use = () => 0;
const everybody: Use = (account, day) => (account + 1) * (day + 1) * 7_654_321;
const newcomers: Use = (account) => (account >= ACCOUNTS && account % 2 === 0 ? 5_000_000 : 0);

describe.skipIf(!needs.ok)(
  needs.title("two ledgers, one of accounts that use the service and one of none that does"),
  () => {
    let base: TestServer;
    beforeAll(async () => {
      base = await makeServer(fill);
    }, TIMEOUT_MS);
    afterAll(() => base?.close());

    test.each([
      ["everybody", everybody],
      ["some of those who have just registered", newcomers],
    ])(
      "write the same write-ahead log, and the same accounts in the same places, where %s uses it",
      async (_, use) => {
        const [busy, quiet] = [await live(base, use), await live(base, nothing)];
        expect(firstDifference(busy.records, quiet.records)).toBe("none");
        expect(differenceOf(busy.records, quiet.records)).toBe(0);
        expect(quiet.records.length).toBeGreaterThan(DAYS * ACCOUNTS);
        expect(busy.places).toEqual(quiet.places);
      },
      TIMEOUT_MS,
    );
  },
);

async function fill(server: TestServer): Promise<void> {
  const database = await openDatabase({ url: server.url, poolMax: 2, statementTimeoutMs: 30_000 });
  await migrate(database.pool);
  await database.db
    .insertInto("nodes")
    .values({ id: NODE, name: "one", region: "Lab", capacity: 10 })
    .execute();
  await insertAccountRows(database.db, ACCOUNTS);
  // As long as each other, as real ones are: lengths of rows follow from them.
  await sql`update accounts set id = 'acc_' || lpad(substr(id, 5), 6, '0')`.execute(database.db);
  await fillLedger(database.db);
  await database.close();
}

/** Lets a ledger be rewritten for some days on a copy of the base: what is written, and who stands where after it. */
function live(base: TestServer, use: Use) {
  restartRandom("what each lives through");
  return onCopyOf(base, async (server) => {
    const dir = temporaryDir("ledger-twin");
    const database = await openDatabase({ url: server.url, poolMax: 2, statementTimeoutMs: 30_000 });
    try {
      return await rewriteDaily(server, database, join(dir.path, "never-in-backups", "ledger.key"), use);
    } finally {
      await database.close();
      dir.remove();
    }
  });
}

async function rewriteDaily(server: TestServer, database: Database, keyFile: string, use: Use) {
  const clock = createManualClock(START_MS);
  const usage = createFakeUsage();
  const ledger = createLedger({
    database,
    clock,
    keyFile,
    flushAt: FLUSH_AT,
    usage,
    onTrouble: (trouble, cause) => expect.unreachable(`the ledger has a trouble: ${trouble} ${cause}`),
  });
  await ledger.open();
  await ledger.loaded();
  const marks: Mark[] = [await markAtRest(server, 0)];
  for (let day = 0; day < DAYS; day++) {
    if (day === 1) {
      for (let account = 1; account <= NEW_ACCOUNTS; account++)
        await insertAccountRow(database.db, { id: idOf(ACCOUNTS + account - 1) });
      await fillLedger(database.db);
    }
    for (let account = 0; account < ACCOUNTS + (day > 0 ? NEW_ACCOUNTS : 0); account++) {
      const bytes = use(account, day);
      if (bytes > 0) usage.use(idOf(account), bytes);
    }
    expect(await ledger.flushIfDue()).toBe("flushed");
    clock.advanceSeconds(DAY_MS / 1000);
    marks.push(await markAtRest(server, day + 1));
  }
  const { rows: places } = await sql<{ account_id: string; ctid: string }>`
    select account_id, ctid::text as ctid from usage_ledger order by account_id`.execute(database.db);
  ledger.close();
  return { marks, places };
}

const idOf = (account: number) => `acc_${String(account + 1).padStart(6, "0")}`;

async function fillLedger(db: Parameters<typeof insertAccountRows>[0]): Promise<void> {
  await sql`insert into usage_ledger (account_id) select id from accounts on conflict do nothing`.execute(db);
}
