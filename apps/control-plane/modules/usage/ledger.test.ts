import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openTestDatabase } from "@securewave/database/testing";
import { insertAccountRow, insertAccountRows } from "@securewave/database/testing-rows";
import { createManualClock, DAY_MS, type ManualClock } from "@securewave/foundation";
import { createUsage } from "@securewave/live";
import { createTestNode, type TestNode } from "@securewave/live/testing-node";
import { temporaryDir } from "@securewave/testing";
import { sql } from "kysely";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLedger, type Ledger, type LedgerOptions, type LedgerTrouble } from "./ledger.ts";
import { openRow, ROW_BYTES, takeKey } from "./sealing.ts";
import { insertLedgerRow, readState, takeFlushLock } from "./store.ts";
import { createFakeUsage, type FakeUsage, NODE } from "./testing-usage.ts";

const MIB = 2 ** 20;
const FLUSH_AT = 3 * 60 + 17;
/** Some hours before the flush. */
const START = Date.UTC(2026, 10, 20, 1, 0);

const database = await openTestDatabase();
const { db } = database;
const dir = temporaryDir("ledger");
const closing: (() => void)[] = [];
let keyFile: string;
let files = 0;

beforeEach(async () => {
  keyFile = join(dir.path, `${++files}`, "never-in-backups", "ledger.key");
  await db.insertInto("nodes").values({ id: NODE, name: "one", region: "Lab", capacity: 10 }).execute();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) close();
  await database.truncateAll();
  await sql`update usage_ledger_state set generation = 0, flushed_on = null`.execute(db);
});
afterAll(async () => {
  await database.close();
  dir.remove();
});

interface Process {
  readonly ledger: Ledger;
  /** What stands for the live plane, where a test gives no other. */
  readonly usage: FakeUsage;
  readonly troubles: LedgerTrouble[];
}

/** One process of the service, as far as the ledger goes. */
async function openProcess(clock: ManualClock, options: Partial<LedgerOptions> = {}): Promise<Process> {
  const usage = createFakeUsage();
  const troubles: LedgerTrouble[] = [];
  const ledger = createLedger({
    database,
    clock,
    keyFile,
    flushAt: FLUSH_AT,
    usage,
    onTrouble: (trouble) => void troubles.push(trouble),
    ...options,
  });
  closing.push(() => ledger.close());
  await ledger.open();
  await ledger.loaded();
  return { ledger, usage, troubles };
}

async function account(): Promise<string> {
  const id = await insertAccountRow(db);
  await insertLedgerRow(db, id);
  return id;
}

async function readTable() {
  return db.selectFrom("usage_ledger").selectAll().orderBy("account_id").execute();
}

const nextDay = (clock: ManualClock) => clock.advanceSeconds(DAY_MS / 1000);

describe("the ledger", () => {
  test("takes in what was used, in whole MiB, and leaves the rest unsettled", async () => {
    const [clock, id] = [createManualClock(START), await account()];
    const { ledger, usage } = await openProcess(clock);
    usage.use(id, 5 * MIB + 123);
    expect(ledger.usedThisMonth(id)).toBe(5 * MIB + 123);
    expect(await ledger.flushIfDue()).toBe("flushed");
    expect(usage.unsettledOf(id)).toBe(123);
    expect(ledger.usedThisMonth(id)).toBe(5 * MIB + 123);
    expect(ledger.markOf(NODE)).toMatchObject({ nodeId: NODE, incarnation: "f00d", batch: 1 });
  });

  test("says the same after a restart, of accounts and of nodes", async () => {
    const [clock, id] = [createManualClock(START), await account()];
    const first = await openProcess(clock);
    first.usage.use(id, 7 * MIB);
    await first.ledger.flushIfDue();
    const second = await openProcess(clock);
    expect(second.ledger.usedThisMonth(id)).toBe(7 * MIB);
    expect(second.ledger.markOf(NODE)).toMatchObject({ nodeId: NODE, incarnation: "f00d", batch: 1 });
    expect(second.troubles).toEqual([]);
  });

  test("is rewritten once a day, from its minute on", async () => {
    const clock = createManualClock(START);
    const { ledger } = await openProcess(clock);
    await ledger.flushIfDue();
    expect(await ledger.flushIfDue()).toBe("not_due");
    clock.advanceSeconds(2.2 * 3600);
    expect(await ledger.flushIfDue()).toBe("not_due");
    clock.advanceSeconds(0.2 * 3600);
    expect(await ledger.flushIfDue()).toBe("flushed");
    expect(await ledger.flushIfDue()).toBe("not_due");
    nextDay(clock);
    expect(await ledger.flushIfDue()).toBe("flushed");
  });

  test("rewrites every row each time, to the same length, whoever used anything", async () => {
    await insertAccountRows(db, 50);
    const idle = await account();
    const clock = createManualClock(START);
    const { ledger, usage } = await openProcess(clock);
    await ledger.flushIfDue();
    const before = new Map((await readTable()).map((row) => [row.account_id, row.sealed]));
    usage.use(idle, MIB);
    nextDay(clock);
    await ledger.flushIfDue();
    const after = await readTable();
    expect(after.length).toBe(51);
    for (const { account_id, sealed } of after) {
      expect(sealed.length).toBe(ROW_BYTES);
      // What follows the generation: neither nonce nor text nor tag is as it was.
      expect(sealed.subarray(4).equals(before.get(account_id)?.subarray(4) ?? sealed)).toBe(false);
    }
  });

  test("lies in another order each time", async () => {
    await insertAccountRows(db, 100);
    const clock = createManualClock(START);
    const { ledger } = await openProcess(clock);
    const order = async () => {
      const { rows } = await sql<{
        id: string;
      }>`select account_id as id from usage_ledger order by ctid`.execute(db);
      return rows.map(({ id }) => id);
    };
    await ledger.flushIfDue();
    const first = await order();
    nextDay(clock);
    await ledger.flushIfDue();
    const second = await order();
    expect([...second].sort()).toEqual([...first].sort());
    expect(second).not.toEqual(first);
  });

  test("the new table is as the migration made the old one", async () => {
    await account();
    const { ledger } = await openProcess(createManualClock(START));
    const before = await describeTable();
    await ledger.flushIfDue();
    expect(await describeTable()).toEqual(before);
  });

  test("rights that others have to the table are theirs after it too", async () => {
    await account();
    const role = "ledger_reader";
    await sql.raw(`create role ${role}`).execute(db);
    try {
      await sql.raw(`grant select on usage_ledger to ${role} with grant option`).execute(db);
      await sql.raw(`grant update (sealed) on usage_ledger to ${role}`).execute(db);
      await sql.raw("grant select on usage_ledger to public").execute(db);
      const before = await rights();
      const { ledger } = await openProcess(createManualClock(START));
      await ledger.flushIfDue();
      expect(await rights()).toEqual(before);
      expect(before.join(" ")).toContain(role);
    } finally {
      await sql.raw(`drop owned by ${role}`).execute(db);
      await sql.raw(`drop role ${role}`).execute(db);
      await sql.raw("revoke select on usage_ledger from public").execute(db);
    }
  });

  test("an account that registers while it is rewritten has its row, and one that goes has none", async () => {
    const [staying, going] = [await account(), await account()];
    const clock = createManualClock(START);
    const { ledger, usage } = await openProcess(clock);
    let registered = "";
    usage.whileClosing = async () => {
      registered = await account();
      await db.deleteFrom("accounts").where("id", "=", going).execute();
    };
    await ledger.flushIfDue();
    usage.whileClosing = undefined;
    const ids = (await readTable()).map(({ account_id }) => account_id);
    expect(ids.sort()).toEqual([staying, registered].sort());
    usage.use(registered, 3 * MIB);
    nextDay(clock);
    await ledger.flushIfDue();
    expect((await openProcess(clock)).ledger.usedThisMonth(registered)).toBe(3 * MIB);
  });

  test("an account's row goes with it", async () => {
    const id = await account();
    const { ledger } = await openProcess(createManualClock(START));
    await ledger.flushIfDue();
    await db.deleteFrom("accounts").where("id", "=", id).execute();
    expect(await readTable()).toEqual([]);
  });

  test("what the owner was told is kept, and letters leave after the flush that notes it, with each flush the same call", async () => {
    const id = await account();
    const told: (readonly unknown[])[] = [];
    const notices = {
      judge: (_: string, bytes: number, told: 0 | 80 | 100) =>
        bytes >= 10 * MIB && told === 0
          ? ({ told: 80, tell: 80 } as const)
          : ({ told, tell: undefined } as const),
      tell: async (letters: readonly unknown[]) => void told.push(letters),
    };
    const clock = createManualClock(START);
    const { ledger, usage } = await openProcess(clock, { notices });
    usage.use(id, 10 * MIB);
    expect(ledger.toldOf(id)).toBe(0);
    await ledger.flushIfDue();
    nextDay(clock);
    await ledger.flushIfDue();
    expect(told).toEqual([[{ accountId: id, percent: 80 }], []]);
    expect((await openProcess(clock)).ledger.toldOf(id)).toBe(80);
  });

  test("tells everybody who used anything once, whether it is settled or not", async () => {
    const [settled, fresh] = [await account(), await account(), await account()];
    const clock = createManualClock(START);
    const { ledger, usage } = await openProcess(clock);
    usage.use(settled, 2 * MIB);
    await ledger.flushIfDue();
    usage.use(settled, MIB);
    usage.use(fresh, 5);
    const all: [string, number][] = [];
    ledger.forEachUsed((id, bytes) => void all.push([id, bytes]));
    expect(all.sort()).toEqual(
      [
        [settled, 3 * MIB],
        [fresh, 5],
      ].sort(),
    );
  });
});

describe("a new month", () => {
  const LAST_EVENING = Date.UTC(2026, 10, 30, 23, 0);

  test("begins at nothing at midnight, with what is unsettled from before it left out for good", async () => {
    const [clock, id] = [createManualClock(LAST_EVENING), await account()];
    const { ledger, usage } = await openProcess(clock);
    await ledger.flushIfDue();
    usage.use(id, 10 * MIB);
    expect(ledger.usedThisMonth(id)).toBe(10 * MIB);
    clock.advanceSeconds(3600);
    expect(ledger.usedThisMonth(id)).toBe(0);
    usage.use(id, 4 * MIB);
    expect(ledger.usedThisMonth(id)).toBe(4 * MIB);
    clock.advanceSeconds(4 * 3600);
    expect(await ledger.flushIfDue()).toBe("flushed");
    expect(ledger.usedThisMonth(id)).toBe(4 * MIB);
    expect((await openProcess(clock)).ledger.usedThisMonth(id)).toBe(4 * MIB);
  });

  test("counts an old month as nothing after days without the service", async () => {
    const [clock, id] = [createManualClock(START), await account()];
    const first = await openProcess(clock);
    first.usage.use(id, 50 * MIB);
    await first.ledger.flushIfDue();
    clock.advanceSeconds((20 * DAY_MS) / 1000);
    const { ledger, usage } = await openProcess(clock);
    // Nodes come back with what they have not settled, of whatever month it is: it favours the customer.
    usage.use(id, 9 * MIB);
    expect(ledger.usedThisMonth(id)).toBe(0);
    expect(await ledger.flushIfDue()).toBe("flushed");
    usage.use(id, MIB);
    expect(ledger.usedThisMonth(id)).toBe(MIB);
    nextDay(clock);
    await ledger.flushIfDue();
    expect((await openProcess(clock)).ledger.usedThisMonth(id)).toBe(MIB);
  });

  test("a service that was away for days within a month counts them all", async () => {
    const [clock, id] = [createManualClock(Date.UTC(2026, 10, 3)), await account()];
    const first = await openProcess(clock);
    first.usage.use(id, 50 * MIB);
    await first.ledger.flushIfDue();
    clock.advanceSeconds((9 * DAY_MS) / 1000);
    const { ledger, usage } = await openProcess(clock);
    usage.use(id, 9 * MIB);
    expect(ledger.usedThisMonth(id)).toBe(59 * MIB);
    expect(await ledger.flushIfDue()).toBe("flushed");
    expect(ledger.usedThisMonth(id)).toBe(59 * MIB);
  });

  test("a clock set back over the turn of a month charges nobody, and set right finds the totals again", async () => {
    const [clock, id] = [createManualClock(Date.UTC(2026, 11, 1, 4)), await account()];
    const { ledger, usage } = await openProcess(clock);
    usage.use(id, 6 * MIB);
    await ledger.flushIfDue();
    clock.advanceSeconds(-5 * 3600);
    expect(ledger.usedThisMonth(id)).toBe(0);
    expect(await ledger.flushIfDue()).toBe("not_due");
    clock.advanceSeconds(5 * 3600);
    expect(ledger.usedThisMonth(id)).toBe(6 * MIB);
  });

  test("a clock that was years ahead and is set right does not stop the ledger", async () => {
    const [clock, id] = [createManualClock(Date.UTC(2036, 5, 5, 5)), await account()];
    const { ledger, usage } = await openProcess(clock);
    usage.use(id, 6 * MIB);
    await ledger.flushIfDue();
    clock.advanceSeconds((START - clock.now()) / 1000);
    expect(await ledger.flushIfDue()).toBe("flushed");
    usage.use(id, 2 * MIB);
    expect(ledger.usedThisMonth(id)).toBe(2 * MIB);
    nextDay(clock);
    expect(await ledger.flushIfDue()).toBe("flushed");
    expect((await openProcess(clock)).ledger.usedThisMonth(id)).toBe(2 * MIB);
  });
});

describe("a node that was away over the turn of a month", () => {
  const LAST_DAY = Date.UTC(2026, 10, 30, 4, 0);
  const KEY = "key";

  /** A process with the real live plane, which the given node of it is connected to. */
  async function openLive(clock: ManualClock, node: TestNode | undefined) {
    const live = createUsage({ clock, lineGbitPerSecond: 1_000_000 });
    const { ledger } = await openProcess(clock, { usage: live });
    live.useMarks(ledger.markOf);
    live.useMonth(ledger.monthOfUse);
    node?.connect(live, [KEY]);
    return { live, ledger };
  }

  test("and over a restart brings none of its old bytes into the new one", async () => {
    const [clock, id] = [createManualClock(LAST_DAY), await account()];
    const node = createTestNode(NODE, () => id);
    const first = await openLive(clock, node);
    node.report({ [KEY]: [5 * MIB, 0] });
    expect(await first.ledger.flushIfDue()).toBe("flushed");
    expect(first.ledger.usedThisMonth(id)).toBe(5 * MIB);
    node.disconnect(); // it goes on by itself
    clock.advanceSeconds((3 * DAY_MS) / 1000);
    expect(await (await openLive(clock, undefined)).ledger.flushIfDue()).toBe("flushed");

    const { ledger, live } = await openLive(clock, node);
    node.report({ [KEY]: [40 * MIB, 0] });
    expect(ledger.usedThisMonth(id)).toBe(0);
    node.report({ [KEY]: [43 * MIB, 0] });
    expect(ledger.usedThisMonth(id)).toBe(3 * MIB);
    nextDay(clock);
    expect(await ledger.flushIfDue()).toBe("flushed");
    expect(live.unsettledOf(id)).toBe(0);
    expect(ledger.usedThisMonth(id)).toBe(3 * MIB);

    // From that batch on it is known of which month its bytes are.
    node.disconnect();
    const last = await openLive(clock, node);
    node.report({ [KEY]: [50 * MIB, 0] });
    expect(last.ledger.usedThisMonth(id)).toBe(10 * MIB);
  });

  test("while the control plane ran on brings none of what it says first", async () => {
    const [clock, id] = [createManualClock(LAST_DAY), await account()];
    const node = createTestNode(NODE, () => id);
    const { ledger, live } = await openLive(clock, node);
    await ledger.flushIfDue();
    node.report({ [KEY]: [5 * MIB, 0] });
    node.disconnect();
    clock.advanceSeconds(DAY_MS / 1000);
    expect(await ledger.flushIfDue()).toBe("flushed");
    node.connect(live, [KEY]);
    node.report({ [KEY]: [40 * MIB, 0] });
    expect(ledger.usedThisMonth(id)).toBe(0);
    node.report({ [KEY]: [41 * MIB, 0] });
    expect(ledger.usedThisMonth(id)).toBe(MIB);
    nextDay(clock);
    expect(await ledger.flushIfDue()).toBe("flushed");
    expect(ledger.usedThisMonth(id)).toBe(MIB);
  });

  test("that joined since the ledger was last written counts from its first byte", async () => {
    const [clock, id] = [createManualClock(Date.UTC(2026, 11, 3, 4)), await account()];
    await (await openLive(clock, undefined)).ledger.flushIfDue();
    await db.insertInto("nodes").values({ id: "node_2", name: "two", region: "Lab", capacity: 10 }).execute();
    const node = createTestNode("node_2", () => id);
    await openLive(clock, node);
    node.report({ [KEY]: [5 * MIB, 0] });
    node.disconnect();
    const { ledger } = await openLive(clock, node);
    node.report({ [KEY]: [9 * MIB, 0] });
    expect(ledger.usedThisMonth(id)).toBe(9 * MIB);
    nextDay(clock);
    await ledger.flushIfDue();
    expect(ledger.usedThisMonth(id)).toBe(9 * MIB);
  });
});

describe("the key of the ledger", () => {
  test("of today opens no row of an earlier generation, and the table restored blocks nobody", async () => {
    const ids = await Promise.all([account(), account(), account()]);
    const clock = createManualClock(START);
    const { ledger, usage } = await openProcess(clock);
    for (const id of ids) usage.use(id, 8 * MIB);
    await ledger.flushIfDue();
    const [rows, pages, state] = [
      await readTable(),
      await db.selectFrom("usage_ledger_marks").selectAll().execute(),
      await readState(db),
    ];
    for (let day = 0; day < 3; day++) {
      nextDay(clock);
      await ledger.flushIfDue();
    }
    // The restore.
    for (const row of rows)
      await db.updateTable("usage_ledger").set(row).where("account_id", "=", row.account_id).execute();
    for (const page of pages) await db.updateTable("usage_ledger_marks").set(page).execute();
    await db.updateTable("usage_ledger_state").set(state).execute();

    const opened = await countOpened();
    expect(opened).toBe(0); // zerolog.old_ledgers_opened
    const restarted = await openProcess(clock);
    expect(restarted.troubles).toEqual(["table_older_than_key"]);
    for (const id of ids) expect(restarted.ledger.usedThisMonth(id)).toBe(0);
    restarted.usage.use(ids[0] ?? "", 2 * MIB);
    expect(restarted.ledger.usedThisMonth(ids[0] ?? "")).toBe(2 * MIB);
    expect(await restarted.ledger.flushIfDue()).toBe("flushed");
    expect(restarted.ledger.troubles()).toEqual([]);
    expect((await openProcess(clock)).ledger.usedThisMonth(ids[0] ?? "")).toBe(2 * MIB);
  });

  test("that is missing is said once, and totals start afresh", async () => {
    const [clock, id] = [createManualClock(START), await account()];
    const first = await openProcess(clock);
    first.usage.use(id, 8 * MIB);
    await first.ledger.flushIfDue();
    await rm(keyFile);
    const { ledger, usage, troubles } = await openProcess(clock);
    expect(troubles).toEqual(["key_missing"]);
    usage.use(id, 3 * MIB);
    expect(ledger.usedThisMonth(id)).toBe(3 * MIB);
    nextDay(clock);
    // Another process may have the key: it would lose all totals by this one's doing.
    expect(await ledger.flushIfDue()).toBe("left_to_others");
    nextDay(clock);
    expect(await ledger.flushIfDue()).toBe("flushed");
    expect(ledger.troubles()).toEqual([]);
    expect((await openProcess(clock)).ledger.usedThisMonth(id)).toBe(3 * MIB);
  });

  test.each([
    ["damaged", "key_unreadable", async () => writeFile(keyFile, "nonsense")],
    ["of another ledger", "key_foreign", async () => copyFile(await otherKey(), keyFile)],
  ])(
    "that is %s opens nothing and stays as it is until the ledger is rewritten",
    async (_, trouble, spoil) => {
      const [clock, id] = [createManualClock(START), await account()];
      const first = await openProcess(clock);
      first.usage.use(id, 8 * MIB);
      await first.ledger.flushIfDue();
      await spoil();
      const bytes = await readFile(keyFile);
      const { ledger, troubles } = await openProcess(clock);
      expect(troubles).toEqual([trouble]);
      expect(ledger.usedThisMonth(id)).toBe(0);
      expect(await readFile(keyFile)).toEqual(bytes);
    },
  );

  test("of some days ago moves on by itself", async () => {
    const [clock, id] = [createManualClock(START), await account()];
    const { ledger, usage } = await openProcess(clock);
    await ledger.flushIfDue();
    const old = join(dir.path, `${files}.old`);
    await copyFile(keyFile, old);
    for (let day = 0; day < 3; day++) {
      nextDay(clock);
      usage.use(id, MIB);
      await ledger.flushIfDue();
    }
    const replica = await openProcess(clock, { keyFile: old });
    expect(replica.troubles).toEqual([]);
    expect(replica.ledger.usedThisMonth(id)).toBe(3 * MIB);
    expect(await readFile(old)).toEqual(await readFile(keyFile));
  });

  test("a row that does not open counts as nothing, and no other is touched by it", async () => {
    const [clock, id, other] = [createManualClock(START), await account(), await account()];
    const first = await openProcess(clock);
    for (const each of [id, other]) first.usage.use(each, 8 * MIB);
    await first.ledger.flushIfDue();
    // Somebody with rights on the database gives an account the row of another one.
    await sql`update usage_ledger set sealed = (select sealed from usage_ledger where account_id = ${other})
              where account_id = ${id}`.execute(db);
    const { ledger, troubles } = await openProcess(clock);
    expect(troubles).toEqual(["rows_unopenable"]);
    expect(ledger.usedThisMonth(id)).toBe(0);
    expect(ledger.usedThisMonth(other)).toBe(8 * MIB);
  });

  async function otherKey(): Promise<string> {
    const { createRatchet } = await import("@securewave/forgetting");
    const path = join(dir.path, `${files}.foreign`);
    (await createRatchet(path, 1)).close();
    return path;
  }

  async function countOpened(): Promise<number> {
    const { openRatchet } = await import("@securewave/forgetting");
    const opening = await openRatchet(keyFile);
    if (opening.state !== "open") throw new TypeError("the key is there");
    const { ratchet } = opening;
    const generations = [...Array(10).keys()];
    const keys = generations.flatMap((generation) => {
      const key = ratchet.keyOf(generation);
      return key ? takeKey(key) : [];
    });
    expect(keys.length).toBeGreaterThan(0);
    const rows = await readTable();
    return rows.filter(({ account_id, sealed }) =>
      keys.some((key) => generations.some((generation) => openRow(key, generation, account_id, sealed))),
    ).length;
  }
});

describe("a flush", () => {
  test("of two at once one waits for nothing and leaves it to the other", async () => {
    const [clock, id] = [createManualClock(START), await account()];
    const [one, other] = [await openProcess(clock), await openProcess(clock)];
    one.usage.use(id, MIB);
    let second: string | undefined;
    one.usage.whileClosing = async () => {
      second = await other.ledger.flushIfDue();
    };
    expect(await one.ledger.flushIfDue()).toBe("flushed");
    expect(second).toBe("elsewhere");
    expect((await readState(db)).generation).toBe(1);
    await other.ledger.reload();
    expect(other.ledger.usedThisMonth(id)).toBe(MIB);
    nextDay(clock);
    expect(await other.ledger.flushIfDue()).toBe("flushed");
    expect((await readState(db)).generation).toBe(2);
  });

  test("called twice in a process is one flush", async () => {
    const { ledger, usage } = await openProcess(createManualClock(START));
    expect(await Promise.all([ledger.flushIfDue(), ledger.flushIfDue()])).toEqual(["flushed", "flushed"]);
    expect(usage.batches).toEqual({ closed: 1, settled: 1, abandoned: 0 });
  });

  test("that fails changes nothing, sends no letter, is told, and succeeds the next time", async () => {
    const [clock, id] = [createManualClock(START), await account()];
    let letters = 0;
    const notices = {
      judge: () => ({ told: 80, tell: 80 }) as const,
      tell: async () => void letters++,
    };
    const { ledger, usage, troubles } = await openProcess(clock, { notices });
    usage.use(id, 3 * MIB);
    await ledger.flushIfDue();
    const before = await readTable();
    usage.use(id, 2 * MIB);
    nextDay(clock);
    await sql`alter table usage_ledger_state add constraint no_more check (generation < 2)`.execute(db);
    try {
      expect(await ledger.flushIfDue()).toBe("failed");
    } finally {
      await sql`alter table usage_ledger_state drop constraint no_more`.execute(db);
    }
    expect(troubles).toEqual(["flush_failed"]);
    expect(letters).toBe(1);
    expect(usage.batches).toEqual({ closed: 2, settled: 1, abandoned: 1 });
    expect(await readTable()).toEqual(before);
    expect(ledger.usedThisMonth(id)).toBe(5 * MIB);
    expect((await openProcess(clock)).ledger.usedThisMonth(id)).toBe(3 * MIB);
    expect(await ledger.flushIfDue()).toBe("flushed");
    expect(ledger.troubles()).toEqual([]);
    expect((await openProcess(clock)).ledger.usedThisMonth(id)).toBe(5 * MIB);
  });

  test("gives way to a dump of the database and to whoever waits behind it", async () => {
    const clock = createManualClock(START);
    const { ledger } = await openProcess(clock);
    await ledger.flushIfDue();
    nextDay(clock);
    const dump = await database.pool.connect();
    await dump.query("begin; select count(*) from usage_ledger");
    const flushing = ledger.flushIfDue();
    // Somebody registers, who waits for the flush's patience at most.
    const id = await account();
    expect(id).toMatch(/^acc_/);
    await dump.query("rollback");
    dump.release();
    expect(await flushing).toBe("flushed");
    expect((await readTable()).map(({ account_id }) => account_id)).toEqual([id]);
  });

  test("whose commit got lost on the way is found out by the next try", async () => {
    const [clock, id] = [createManualClock(START), await account()];
    let isCut = true;
    // The server carries the commit out, and its answer does not arrive.
    const cutDb = new Proxy(db, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (name !== "transaction") return typeof value === "function" ? value.bind(target) : value;
        return () => ({
          async execute(work: Parameters<ReturnType<typeof db.transaction>["execute"]>[0]) {
            const result = await db.transaction().execute(work);
            if (isCut && result === "flushed") throw new Error("cut");
            return result;
          },
        });
      },
    });
    const own = { ...database, db: cutDb };
    const { ledger, usage } = await openProcess(clock, { database: own });
    usage.use(id, 3 * MIB);
    expect(await ledger.flushIfDue()).toBe("failed");
    isCut = false;
    expect(await ledger.flushIfDue()).toBe("not_due");
    expect(usage.batches).toEqual({ closed: 1, settled: 1, abandoned: 0 });
    expect(ledger.usedThisMonth(id)).toBe(3 * MIB);
    expect((await openProcess(clock)).ledger.usedThisMonth(id)).toBe(3 * MIB);
  });

  test("holds a lock that goes with its transaction", async () => {
    await db.transaction().execute(async (trx) => {
      expect(await takeFlushLock(trx)).toBe(true);
      const { ledger } = await openProcess(createManualClock(START));
      expect(await ledger.flushIfDue()).toBe("elsewhere");
    });
    const { ledger } = await openProcess(createManualClock(START));
    expect(await ledger.flushIfDue()).toBe("flushed");
  });
});

/** Who may do what with the table and its columns. */
async function rights(): Promise<string[]> {
  const { rows } = await sql<{ acl: string[] }>`
    select relacl::text[] as acl from pg_class where oid = 'usage_ledger'::regclass
    union all
    select attacl::text[] from pg_attribute where attrelid = 'usage_ledger'::regclass and attacl is not null`.execute(
    db,
  );
  return rows.flatMap(({ acl }) => [...acl].sort());
}

/** Everything about the table that code or the proof relies on. */
async function describeTable() {
  const { rows: columns } = await sql`
    select attname, format_type(atttypid, atttypmod), attnotnull, attstorage, attcompression, attstattarget,
      pg_get_expr(adbin, adrelid) as fallback
    from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = 'usage_ledger'::regclass and attnum > 0 order by attnum`.execute(db);
  const { rows: constraints } = await sql`
    select conname, convalidated, pg_get_constraintdef(oid) as text from pg_constraint
    where conrelid = 'usage_ledger'::regclass order by conname`.execute(db);
  const { rows: indexes } = await sql`
    select indexname, indexdef from pg_indexes where tablename = 'usage_ledger'`.execute(db);
  const { rows: tables } = await sql`
    select relpersistence, reloptions, pg_get_userbyid(relowner) as owner from pg_class
    where oid = 'usage_ledger'::regclass`.execute(db);
  return { columns, constraints, indexes, tables };
}
