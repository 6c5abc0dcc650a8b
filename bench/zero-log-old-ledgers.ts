/** Ledgers of former days, as backups bring them back, and how much of them the key of today opens. */
import type { KeyObject } from "node:crypto";
import { chmodSync, copyFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { migrate, openDatabase } from "@securewave/database";
import { insertAccountRows } from "@securewave/database/testing-rows";
import { openTestServer, type TestServer } from "@securewave/database/testing-server";
import { openRatchet } from "@securewave/forgetting";
import { createManualClock, DAY_MS } from "@securewave/foundation";
import { eventually, temporaryDir } from "@securewave/testing";
import { createLedger } from "../apps/control-plane/modules/usage/ledger.ts";
import { openPage, openRow, takeKey } from "../apps/control-plane/modules/usage/sealing.ts";
import { createFakeUsage, NODE } from "../apps/control-plane/modules/usage/testing-usage.ts";
import type { BenchRun } from "./figure.ts";

const ACCOUNTS = 500;
const MIB = 2 ** 20;
const DAYS = 5;
/** A base backup and a dump are made on it; what came after it is in the archive alone. */
const BACKUP_DAY = 2;

/** The sealed rows of a table, and the sealed page of what is known of nodes. */
interface OldLedger {
  readonly from: string;
  /** Of the key that it was sealed under, counted from 1: one a day. */
  readonly generation: number;
  readonly rows: readonly { readonly account_id: string; readonly sealed: Buffer }[];
  readonly pages: readonly { readonly page: number; readonly sealed: Buffer }[];
}

/** Needs Debian's PostgreSQL. */
export async function measureOldLedgers({ progress, report }: BenchRun): Promise<void> {
  progress(`  ledgers of ${DAYS} days, and the old ones restored from backups`);
  using dir = temporaryDir("bench-old-ledgers");
  chmodSync(dir.path, 0o777); // PostgreSQL writes here as another user
  const keyFile = join(dir.path, "keys", "ledger.key");
  await liveThrough(dir.path, keyFile);
  const old = [await restoreDump(dir.path), await restoreBase(dir.path)];
  for (let day = BACKUP_DAY + 1; day < DAYS; day++) old.push(await restoreTo(day, dir.path));

  let [opened, held] = [0, 0];
  for (const ledger of old) {
    const count = ledger.rows.length + ledger.pages.length;
    const byItsKey = openedBy(await keysOf(`${keyFile}.${ledger.generation}`, ledger.generation), ledger);
    // The control: a ledger that does not open with its own key would not open with any.
    if (ledger.rows.length !== ACCOUNTS || byItsKey !== count)
      throw new Error(`of the ledger ${ledger.from} its own key opens ${byItsKey} of ${count}`);
    held += count;
    opened += openedBy(await keysOf(keyFile, ledger.generation), ledger);
  }
  report({
    id: "zerolog.old_ledgers_opened",
    value: opened,
    unit: "rows",
    limit: held,
    goal: "=0",
    note: `with the key of today, of ${old.map(({ from }) => from).join(", ")}; limit: with the keys of their days, all`,
  });
}

/** Uses and rewrites a ledger day by day, with copies of its key that only this measurement keeps. */
async function liveThrough(dir: string, keyFile: string): Promise<void> {
  const archive = join(dir, "archive");
  mkdirSync(archive);
  chmodSync(archive, 0o777);
  const server = await openTestServer({
    settings: {
      wal_level: "replica",
      max_wal_senders: "4",
      archive_mode: "on",
      archive_command: `cp %p ${archive}/%f && chmod a+r ${archive}/%f`,
    },
  });
  try {
    const database = await openDatabase({ url: server.url, poolMax: 2, statementTimeoutMs: 30_000 });
    await migrate(database.pool);
    await insertAccountRows(database.db, ACCOUNTS);
    await database.pool.query("insert into usage_ledger (account_id) select id from accounts");
    const node = { id: NODE, name: "one", region: "Lab", capacity: 10 };
    await database.db.insertInto("nodes").values(node).execute();
    const clock = createManualClock(Date.UTC(2026, 2, 2, 12));
    const usage = createFakeUsage();
    const ledger = createLedger({
      database,
      clock,
      keyFile,
      flushAt: 0,
      usage,
      onTrouble: (trouble, cause) => {
        throw new Error(trouble, { cause });
      },
    });
    await ledger.open();
    for (let day = 1; day <= DAYS; day++) {
      for (let account = 1; account <= ACCOUNTS; account++) usage.use(`acc_${account}`, account * day * MIB);
      const outcome = await ledger.flushIfDue();
      if (outcome !== "flushed") throw new Error(`the ledger was not rewritten: ${outcome}`);
      copyFileSync(keyFile, `${keyFile}.${day}`);
      await server.run(`select pg_create_restore_point('day ${day}')`);
      if (day === BACKUP_DAY) await backUp(server, dir);
      clock.advanceSeconds(DAY_MS / 1000);
    }
    ledger.close();
    await database.close();
    await archiveAll(server);
  } finally {
    await server.close();
  }
}

async function backUp(server: TestServer, dir: string): Promise<void> {
  writeFileSync(join(dir, "dump.sql"), await server.tool("pg_dump", "--dbname", server.url), { mode: 0o644 });
  const base = ["--pgdata", join(dir, "base"), "--checkpoint=fast"];
  await server.tool("pg_basebackup", "--dbname", server.url, ...base);
}

async function archiveAll(server: TestServer): Promise<void> {
  const [row] = await server.run("select pg_walfile_name(pg_switch_wal()) as name");
  await eventually(async () => {
    const [archived] = await server.run("select last_archived_wal as name from pg_stat_archiver");
    if (!(archived?.name >= row?.name)) throw new Error("the last segment is not archived yet");
  });
}

async function restoreDump(dir: string): Promise<OldLedger> {
  const server = await openTestServer();
  try {
    await server.tool("psql", "--dbname", server.url, "--quiet", "--file", join(dir, "dump.sql"));
    return await readLedger(server, "a dump", BACKUP_DAY);
  } finally {
    await server.close();
  }
}

async function restoreBase(dir: string): Promise<OldLedger> {
  const server = await openTestServer({ copyOf: { dataDir: join(dir, "base") } });
  try {
    return await readLedger(server, "a base backup", BACKUP_DAY);
  } finally {
    await server.close();
  }
}

/** Restores the base backup and goes on by the archive to the end of a day. */
async function restoreTo(day: number, dir: string): Promise<OldLedger> {
  const dataDir = join(dir, `until-${day}`);
  cpSync(join(dir, "base"), dataDir, { recursive: true });
  writeFileSync(join(dataDir, "recovery.signal"), "", { mode: 0o644 });
  const server = await openTestServer({
    copyOf: { dataDir },
    settings: {
      restore_command: `cp ${dir}/archive/%f %p`,
      recovery_target_name: `day ${day}`,
      recovery_target_action: "promote",
    },
  });
  try {
    await eventually(async () => {
      const [row] = await server.run("select pg_is_in_recovery() as is_in_recovery");
      if (row?.is_in_recovery !== false) throw new Error("it is being restored");
    });
    return await readLedger(server, `the archive until day ${day}`, day);
  } finally {
    await server.close();
  }
}

async function readLedger(server: TestServer, from: string, generation: number): Promise<OldLedger> {
  const [state] = await server.run("select generation from usage_ledger_state");
  if (Number(state?.generation) !== generation) throw new Error(`${from} has the ledger of another day`);
  const rows = await server.run("select account_id, sealed from usage_ledger");
  const pages = await server.run("select page, sealed from usage_ledger_marks");
  return {
    from,
    generation,
    rows: rows.map(({ account_id, sealed }) => ({ account_id, sealed })),
    pages: pages.map(({ page, sealed }) => ({ page, sealed })),
  };
}

/** Every key that a file leads to, of the generation that is asked for and of all others. */
async function keysOf(path: string, generation: number): Promise<KeyObject[]> {
  const opening = await openRatchet(path);
  if (opening.state !== "open") throw new Error(`a key file is ${opening.state}`);
  const generations = Array.from({ length: generation + 2 * DAYS }, (_, at) => at);
  const keys = generations.flatMap((each) => {
    const key = opening.ratchet.keyOf(each);
    return key ? [takeKey(key)] : [];
  });
  opening.ratchet.close();
  if (keys.length === 0) throw new Error("a key file leads to no key");
  return keys;
}

/** How many rows and pages open with any of the keys. */
function openedBy(keys: readonly KeyObject[], { generation, rows, pages }: OldLedger): number {
  const opens = (open: (key: KeyObject) => unknown) => keys.some((key) => open(key) !== undefined);
  return (
    rows.filter(({ account_id, sealed }) => opens((key) => openRow(key, generation, account_id, sealed)))
      .length +
    pages.filter(({ page, sealed }) => opens((key) => openPage(key, generation, page, sealed))).length
  );
}
