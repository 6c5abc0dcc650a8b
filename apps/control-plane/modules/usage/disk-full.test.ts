import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { migrate, openDatabase } from "@securewave/database";
import { insertAccountRows } from "@securewave/database/testing-rows";
import { createManualClock, DAY_MS } from "@securewave/foundation";
import { requirements, temporaryDir } from "@securewave/testing";
import { expect, test } from "vitest";
import { createLedger, type LedgerTrouble } from "./ledger.ts";
import { createFakeUsage } from "./testing-usage.ts";

const MIB = 2 ** 20;
const DISK_BYTES = 256 * MIB;
const ACCOUNTS = 20_000;
/** Less than the new table needs. */
const LEFT_BYTES = MIB;

const needs = requirements({ root: true, tools: ["mount", "umount"], others: [whyNoMount()] });

test.skipIf(!needs.ok)(
  needs.title("with a full disk the former ledger stands whole, and it is rewritten when there is room"),
  async () => {
    using dir = temporaryDir("disk-full");
    const disk = join(dir.path, "disk");
    using _ = mountSmallDisk(disk);
    const database = await openDatabase({ dir: join(disk, "store"), poolMax: 4, statementTimeoutMs: 30_000 });
    try {
      await migrate(database.pool);
      await insertAccountRows(database.db, ACCOUNTS, "acc_");
      await database.pool.query("insert into usage_ledger (account_id) select id from accounts");
      const [clock, usage] = [createManualClock(Date.UTC(2026, 10, 20, 5)), createFakeUsage()];
      const troubles: LedgerTrouble[] = [];
      async function open(live = usage) {
        const opened = createLedger({
          database,
          clock,
          keyFile: join(dir.path, "keys", "ledger.key"),
          flushAt: 0,
          usage: live,
          onTrouble: (trouble) => void troubles.push(trouble),
        });
        await opened.open();
        await opened.loaded();
        return opened;
      }
      const ledger = await open();
      usage.use("acc_7", 5 * MIB);
      expect(await ledger.flushIfDue()).toBe("flushed");
      clock.advanceSeconds(DAY_MS / 1000);
      usage.use("acc_7", 2 * MIB);

      const { bavail, bsize } = await statfs(disk);
      const ballast = join(disk, "ballast");
      await writeFile(ballast, Buffer.alloc(bavail * bsize - LEFT_BYTES));
      expect(await ledger.flushIfDue()).toBe("failed");
      expect(troubles).toEqual(["flush_failed"]);
      expect(usage.batches).toEqual({ closed: 2, settled: 1, abandoned: 1 });
      expect(ledger.usedThisMonth("acc_7")).toBe(7 * MIB);
      const other = await open(createFakeUsage());
      expect(other.usedThisMonth("acc_7")).toBe(5 * MIB);
      expect(troubles).toEqual(["flush_failed"]);

      await writeFile(ballast, "");
      expect(await ledger.flushIfDue()).toBe("flushed");
      expect(ledger.troubles()).toEqual([]);
      await other.reload();
      expect(other.usedThisMonth("acc_7")).toBe(7 * MIB);
      expect(usage.unsettledOf("acc_7")).toBe(0);
      for (const each of [ledger, other]) each.close();
    } finally {
      await database.close();
    }
  },
  120_000,
);

/** A disk in memory that is really full when it is. */
function mountSmallDisk(path: string): Disposable {
  mkdirSync(path);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES},mode=0755`, "tmpfs", path]);
  if (mounted.status !== 0) throw new Error(mounted.stderr.toString());
  return { [Symbol.dispose]: () => void spawnSync("umount", ["-l", path]) };
}

function whyNoMount(): string | undefined {
  using dir = temporaryDir("mount-probe");
  try {
    mountSmallDisk(join(dir.path, "disk"))[Symbol.dispose]();
    return undefined;
  } catch {
    return "the right to mount a disk in memory";
  }
}
