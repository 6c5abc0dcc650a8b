import { join } from "node:path";
import { migrate, openDatabase } from "@securewave/database";
import { insertAccountRow, insertAccountRows } from "@securewave/database/testing-rows";
import { missingServer, openTestServer, type TestServer } from "@securewave/database/testing-server";
import { createManualClock, DAY_MS } from "@securewave/foundation";
import { requirements } from "@securewave/testing/requirements";
import { temporaryDir } from "@securewave/testing/temporary";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createLedger } from "../modules/usage/ledger.ts";
import { createFakeUsage, NODE } from "../modules/usage/testing-usage.ts";
import { markAtRest, TWIN_SETTINGS } from "./testing/twin.ts";
import {
  differenceOf,
  firstDifference,
  type Mark,
  readWriteAheadLog,
  type WalRecord,
} from "./testing/write-ahead-log.ts";

const random = vi.hoisted(() => ({ restart: (_seed: string) => {} }));
vi.mock("node:crypto", async (importActual) => {
  const { createSeededRandom, seed } = await import("./testing/seeded-crypto.ts");
  const actual = await importActual<typeof import("node:crypto")>();
  const seeded = createSeededRandom(actual);
  Object.assign(random, seeded);
  return seed(actual, seeded);
});

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
    const files = temporaryDir("ledger-twins");
    beforeAll(async () => {
      base = await openTestServer({ settings: TWIN_SETTINGS });
      const database = await openDatabase({ url: base.url, poolMax: 2, statementTimeoutMs: 30_000 });
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
      await base.run("vacuum (freeze, analyze)", "checkpoint");
      await base.stop();
    }, TIMEOUT_MS);
    afterAll(async () => {
      await base?.close();
      files.remove();
    });

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

/** Lets a ledger be rewritten for some days on a copy of the base; returns what was written, and who stands where. */
async function live(
  base: TestServer,
  use: Use,
): Promise<{ records: WalRecord[]; places: { account_id: string; ctid: string }[] }> {
  random.restart("what each lives through");
  const server = await openTestServer({ settings: TWIN_SETTINGS, copyOf: base });
  const dir = temporaryDir("ledger-twin");
  const database = await openDatabase({ url: server.url, poolMax: 2, statementTimeoutMs: 30_000 });
  const clock = createManualClock(START_MS);
  const usage = createFakeUsage();
  const ledger = createLedger({
    database,
    clock,
    keyFile: join(dir.path, "never-in-backups", "ledger.key"),
    flushAt: FLUSH_AT,
    usage,
    onTrouble: (trouble, cause) => expect.unreachable(`the ledger has a trouble: ${trouble} ${cause}`),
  });
  try {
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
    const { rows } = await sql<{ account_id: string; ctid: string }>`
      select account_id, ctid::text as ctid from usage_ledger order by account_id`.execute(database.db);
    ledger.close();
    await database.close();
    await server.stop();
    return { records: await readWriteAheadLog(server, marks), places: rows };
  } finally {
    await database.close().catch(() => undefined);
    await server.close();
    dir.remove();
  }
}

const idOf = (account: number) => `acc_${String(account + 1).padStart(6, "0")}`;

async function fillLedger(db: Parameters<typeof insertAccountRows>[0]): Promise<void> {
  await sql`insert into usage_ledger (account_id) select id from accounts on conflict do nothing`.execute(db);
}
