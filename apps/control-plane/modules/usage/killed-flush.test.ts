import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openTestDatabase } from "@securewave/database/testing";
import { insertAccountRow } from "@securewave/database/testing-rows";
import { openRatchet } from "@securewave/forgetting";
import { createManualClock, DAY_MS, type ManualClock } from "@securewave/foundation";
import { temporaryDir } from "@securewave/testing";
import { eventually } from "@securewave/testing/eventually";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLedger, type LedgerTrouble } from "./ledger.ts";
import { insertLedgerRow, readState } from "./store.ts";
import { createFakeUsage, NODE } from "./testing-usage.ts";

const MIB = 2 ** 20;
/** As `testing-flush-process.ts` says it, which runs when it is imported. */
const USED_BYTES = 5 * MIB;
const PROGRAM = fileURLToPath(new URL("testing-flush-process.ts", import.meta.url));

const database = await openTestDatabase();
const { db } = database;
const dir = temporaryDir("killed-flush");
beforeAll(async () => {
  await db.insertInto("nodes").values({ id: NODE, name: "one", region: "Lab", capacity: 10 }).execute();
});
afterAll(async () => {
  await database.close();
  dir.remove();
});

test.each([
  // What a node has settled is known by the ledger alone: where it says no, the node still has it.
  { moment: "before commit", generation: 1, isInLedger: false },
  { moment: "after commit", generation: 2, isInLedger: true },
])(
  "a process that is killed $moment neither loses what was used nor counts it twice, and leaves one key that fits",
  async ({ moment, generation, isInLedger }) => {
    const clock = createManualClock(Date.UTC(2026, 10, 20, 5));
    const keyFile = join(dir.path, moment, "never-in-backups", "ledger.key");
    await db.updateTable("usage_ledger_state").set({ generation: 0, flushed_on: null }).execute();
    const id = await insertAccountRow(db);
    await insertLedgerRow(db, id);
    const first = await openProcess(clock, keyFile);
    first.usage.use(id, 2 * MIB);
    expect(await first.ledger.flushIfDue()).toBe("flushed");
    first.ledger.close();
    clock.advanceSeconds(DAY_MS / 1000);

    await killAt(moment, [database.url, keyFile, String(clock.now()), id]);
    expect(await generationsOf(keyFile)).toEqual([1, 2]);

    const { ledger, usage, troubles } = await openProcess(clock, keyFile);
    expect(troubles).toEqual([]);
    expect((await readState(db)).generation).toBe(generation);
    expect(await generationsOf(keyFile)).toEqual([generation]);
    expect(ledger.usedThisMonth(id)).toBe(2 * MIB + (isInLedger ? USED_BYTES : 0));
    expect(ledger.markOf(NODE)?.batch).toBe(1);
    if (!isInLedger) usage.use(id, USED_BYTES);
    // The killed process's session, and with it its lock, ends a moment later.
    const outcome = isInLedger ? "not_due" : "flushed";
    await eventually(async () => expect(await ledger.flushIfDue()).toBe(outcome));
    expect(ledger.usedThisMonth(id)).toBe(7 * MIB);
    clock.advanceSeconds(DAY_MS / 1000);
    expect(await ledger.flushIfDue()).toBe("flushed");
    ledger.close();
    const last = await openProcess(clock, keyFile);
    expect(last.troubles).toEqual([]);
    expect(last.ledger.usedThisMonth(id)).toBe(7 * MIB);
    last.ledger.close();
  },
  60_000,
);

async function openProcess(clock: ManualClock, keyFile: string) {
  const [usage, troubles] = [createFakeUsage(), [] as LedgerTrouble[]];
  const onTrouble = (trouble: LedgerTrouble) => void troubles.push(trouble);
  const ledger = createLedger({ database, clock, keyFile, flushAt: 0, usage, onTrouble });
  await ledger.open();
  await ledger.loaded();
  return { ledger, usage, troubles };
}

/** Runs a flush in a process of its own as far as the moment, and kills it there. */
async function killAt(moment: string, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, ...args, moment], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  try {
    const [text] = await Promise.race([once(child.stdout, "data"), exited]);
    expect(String(text)).toBe("here\n");
  } finally {
    child.kill("SIGKILL");
    await exited;
  }
}

async function generationsOf(keyFile: string): Promise<readonly number[]> {
  const opening = await openRatchet(keyFile);
  if (opening.state !== "open") throw new TypeError("the key is there");
  const generations = opening.ratchet.generations();
  opening.ratchet.close();
  return generations;
}
