import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BackupKind, BackupRun } from "@securewave/contracts";
import { migrate, openDatabase } from "@securewave/database";
import type { TestDatabase } from "@securewave/database/testing";
import { eventually } from "@securewave/testing/eventually";
import { requirements } from "@securewave/testing/requirements";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { codeOf, openTestApp, type TestApp } from "../../testing.ts";

/** Linux gives no process so high a number. */
const PID_OF_NOBODY = 2 ** 22 + 1;
const WORKER = [process.execPath, fileURLToPath(import.meta.resolve("./work/main.ts"))];
const asNobody = requirements({ root: true, tools: ["setpriv"] });
const dir = temporaryDir("backups");
const targetDir = join(dir.path, "target");
let service: TestApp;
beforeAll(async () => {
  service = await openTestApp({
    backupWorker: WORKER,
    jobs: true,
    database: await openStore(),
    wrapDatabase: (database) => database,
    settings: { BACKUP_TARGET: targetDir, BACKUP_ARCHIVE_SECONDS: "4" },
  });
});
afterAll(async () => {
  await service.close();
  dir.remove();
});

/** A store of our own: a backup is of all that a server has. */
async function openStore(): Promise<TestDatabase> {
  const database = await openDatabase({
    dir: join(dir.path, "store"),
    poolMax: 10,
    statementTimeoutMs: 20_000,
  });
  await migrate(database.pool);
  return { ...database, url: "", truncateAll: async () => {} };
}

async function settled(): Promise<BackupRun> {
  const { client } = await service.admin();
  return eventually(
    async () => {
      const { run } = await client.backups.run();
      if (run === null || run.state === "running") throw new Error("it still goes on");
      return run;
    },
    { timeoutMs: 60_000 },
  );
}

async function backUp(kind: BackupKind): Promise<string> {
  const { client } = await service.admin();
  await client.backups.start({ body: { kind } });
  const run = await settled();
  expect(run).toMatchObject({ state: "done", succeeded: 1, failed: 0, problem: null });
  return run.backup_ids[0] ?? "";
}

test("a full run makes a backup of each kind; each is listed, and the trail says who wanted it", async () => {
  const { client, id } = await service.admin();
  await client.backups.start({ body: {} });
  expect(await codeOf(client.backups.start({ body: {} }))).toBe("backups.already_running");
  const run = await settled();
  expect(run).toMatchObject({ act: "back_up", state: "done", succeeded: 3, failed: 0 });
  const { items } = await client.backups.list({ query: { limit: 2 } });
  expect(items).toHaveLength(2);
  const state = await client.backups.state();
  expect(state.newest.map(({ kind, backup }) => [kind, backup?.kind])).toEqual([
    ["database", "database"],
    ["config", "config"],
    ["vpn", "vpn"],
  ]);
  const database = state.newest[0]?.backup;
  expect(database?.counts.accounts).toBe(1);
  const trail = await client.audit.list({ query: { kind: "backup_ordered" } });
  expect(trail.items[0]?.body).toMatchObject({ actor: id, details: { act: "back_up" } });
}, 90_000);

test("backups of a search hold what must be found in them, verify as others do, and go with the search", async () => {
  const { audited } = service.app.operations.backups;
  expect(audited.place()).toMatchObject({ isOn: true, target: { url: targetDir }, isDatabaseFollowed: true });
  const { backupIds } = await audited.backUp({ config: "control one", vpn: "control two" });
  expect(backupIds).toHaveLength(3);
  const { client } = await service.admin();
  await client.backups.verify({ params: { id: backupIds[2] ?? "" } });
  expect(await settled()).toMatchObject({ act: "verify", state: "done" });

  await audited.discard(backupIds);
  const left = (await client.backups.list({ query: {} })).items;
  expect(left.map(({ kind }) => kind).sort()).toEqual(["config", "database", "vpn"]);
  expect(left.filter(({ id }) => backupIds.includes(id))).toEqual([]);
  await audited.discard(left.map(({ id }) => id)); // the last of a kind stays
  expect((await client.backups.list({ query: {} })).items).toHaveLength(3);
}, 90_000);

test("the night's backup waits for other work, of whichever process, and is made then", async () => {
  const { client } = await service.admin();
  const before = (await client.backups.list({ query: { kind: "vpn" } })).items.length;
  const other = await service.database.pool.connect();
  onTestFinished(() => other.release(true));
  await other.query("select pg_advisory_lock(6402118337)");
  await client.jobs.run({ params: { name: "back-up" } });
  await eventually(async () => {
    expect((await client.jobs.get({ params: { name: "back-up" } })).state).toBe("running");
  });
  await new Promise((resolve) => setTimeout(resolve, 1_500)); // it has been refused
  await other.query("select pg_advisory_unlock_all()");
  await eventually(
    async () => {
      const { state, last_run } = await client.jobs.get({ params: { name: "back-up" } });
      expect([state, last_run?.result]).toEqual(["idle", "succeeded"]);
    },
    { timeoutMs: 60_000 },
  );
  expect((await client.backups.list({ query: { kind: "vpn" } })).items).toHaveLength(before + 1);
}, 90_000);

describe("a verification", () => {
  test("restores the database beside the service, and finds every row, rule, entry and config as they were", async () => {
    const id = await backUp("database");
    await service.person(); // what comes later is not in it
    const { client } = await service.admin();
    await client.backups.verify({ params: { id } });
    expect(await settled()).toMatchObject({ act: "verify", state: "done", problem: null });
    const { verification } = await client.backups.show({ params: { id } });
    expect(verification?.checks.map(({ name, outcome }) => [name, outcome])).toEqual([
      ["objects", "passed"],
      ["archive", "passed"],
      ["restore", "passed"],
      ["row_counts", "passed"],
      ["constraints", "passed"],
      ["audit_trail", "passed"],
      ["device_configs", "passed"],
    ]);
  }, 120_000);

  test("opens settings and nodes' configurations", async () => {
    for (const kind of ["config", "vpn"] as const) {
      const id = await backUp(kind);
      const { client } = await service.admin();
      await client.backups.verify({ params: { id } });
      expect(await settled()).toMatchObject({ state: "done" });
    }
  }, 60_000);

  test("is written down before its run is over", async () => {
    const id = await backUp("config");
    const { client } = await service.admin();
    const other = await service.database.pool.connect();
    onTestFinished(() => other.release(true));
    await other.query("begin; lock table backup_verifications in exclusive mode");
    await client.backups.verify({ params: { id } });
    const waits = "select 1 from pg_locks where not granted and relation = 'backup_verifications'::regclass";
    await eventually(async () => expect((await other.query(waits)).rows).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect((await client.backups.run()).run?.state).toBe("running");
    await other.query("rollback");
    await settled();
    expect((await client.backups.show({ params: { id } })).verification?.outcome).toBe("passed");
  }, 60_000);

  test("is not needed to find a manifest that cannot be read: the next work says so, once, and the backup stays listed", async () => {
    const id = await backUp("config");
    await writeFile(join(targetDir, "backups", "config", id, "manifest.json"), "{");
    const told = () => service.logLines.filter((line) => line.includes(`the manifest of ${id}`));
    await backUp("vpn");
    await backUp("vpn");
    expect(told()).toHaveLength(1);
    const { client } = await service.admin();
    const { verification } = await client.backups.show({ params: { id } });
    expect(verification).toMatchObject({ outcome: "failed", checks: [{ outcome: "failed" }] });
    expect(verification?.checks[0]?.detail).toContain("manifest");
    expect((await client.alerts.health()).checks.find(({ id }) => id === "backups")?.state).toBe("failing");
    await rm(join(targetDir, "backups", "config", id), { recursive: true });
    await backUp("vpn");
    expect(await codeOf(client.backups.show({ params: { id } }))).toBe("backups.not_found");
  }, 60_000);

  test("that was killed leaves its copy of the database no longer than to the next work", async () => {
    const scratchOf = (pid: number) => mkdtemp(join(tmpdir(), `securewave-verify-${pid}-`));
    const [killed, living] = [await scratchOf(PID_OF_NOBODY), await scratchOf(process.pid)];
    onTestFinished(() => rm(living, { recursive: true }));
    await writeFile(join(killed, "16384"), "rows");
    await backUp("config");
    expect(existsSync(killed)).toBe(false);
    expect(existsSync(living)).toBe(true);
  }, 60_000);

  test("finds an object that was changed, and says so in the log and to staff", async () => {
    const id = await backUp("config");
    const folder = join(targetDir, "backups", "config", id);
    const object = (await readdir(folder)).find((name) => name !== "manifest.json") ?? "";
    await appendFile(join(folder, object), "x");
    const { client } = await service.admin();
    await client.backups.verify({ params: { id } });
    expect(await settled()).toMatchObject({
      state: "failed",
      failed: 1,
      problem: expect.stringContaining("config.json"),
    });
    expect(service.logLines.some((line) => line.includes('"backup_damaged"'))).toBe(true);
    expect((await client.backups.state()).last_verification?.outcome).toBe("failed");
  }, 60_000);
});

describe("a folder that cannot be", () => {
  const filePath = join(dir.path, "no-folder");
  beforeAll(() => writeFile(filePath, ""));

  test.each([
    ["below /proc, which takes none", "/proc/backups"],
    ["below a file", join(filePath, "backups")],
  ])(
    "%s, fails the run with what to do, and leaves one line in the log; nothing else is hurt",
    async (_, target) => {
      const broken = await openTestApp({ backupWorker: WORKER, settings: { BACKUP_TARGET: target } });
      const { client } = await broken.admin();
      await client.backups.start({ body: { kind: "config" } });
      const run = await eventually(
        async () => {
          const found = (await client.backups.run()).run;
          if (found?.state === "running") throw new Error("it still goes on");
          return found;
        },
        { timeoutMs: 30_000 },
      );
      expect(run).toMatchObject({
        state: "failed",
        failed: 1,
        problem: expect.stringMatching(`${target} cannot be there.*Name another place`),
      });
      expect(broken.logLines.filter((line) => line.includes('"backup_failed"'))).toHaveLength(1);
      expect((await broken.client().service.live()).status).toBe("alive");
      await broken.close();
    },
  );

  test.skipIf(!asNobody.ok)(
    asNobody.title("that the service's user may not use, is refused by that name"),
    async () => {
      const closedDir = join(dir.path, "closed");
      await mkdir(closedDir, { mode: 0o700 });
      const broken = await openTestApp({
        backupWorker: ["setpriv", "--reuid=65534", "--clear-groups", ...WORKER],
        settings: { BACKUP_TARGET: closedDir },
      });
      const { client } = await broken.admin();
      await client.backups.start({ body: { kind: "config" } });
      await eventually(
        async () => {
          const { run } = await client.backups.run();
          expect(run).toMatchObject({
            state: "failed",
            problem: expect.stringMatching(/may not be used \(EACCES\). Give it to the service's user/),
          });
        },
        { timeoutMs: 30_000 },
      );
      await broken.close();
    },
  );
});

test("switched off, or without the program, nothing is made, and the refusal says which", async () => {
  const off = await openTestApp({ backupWorker: WORKER, settings: { BACKUPS: "off" } });
  expect(await codeOf((await off.admin()).client.backups.start({ body: {} }))).toBe("backups.is_off");
  await off.close();
  const bare = await openTestApp();
  expect(await codeOf((await bare.admin()).client.backups.start({ body: {} }))).toBe("backups.not_possible");
  expect(await codeOf((await bare.admin()).client.backups.cleanUp())).toBe("backups.not_possible");
  await bare.close();
});

test("a service with the public key alone seals backups and cannot verify them", async () => {
  const { createIdentity } = await import("@securewave/backup");
  const sealing = await openTestApp({
    backupWorker: WORKER,
    settings: { BACKUP_RECIPIENT: createIdentity().recipient, BACKUP_TARGET: join(dir.path, "other") },
  });
  const { client } = await sealing.admin();
  await client.backups.start({ body: { kind: "vpn" } });
  const id = await eventually(async () => {
    const { run } = await client.backups.run();
    if (run?.state !== "done") throw new Error("it still goes on");
    return run.backup_ids[0] ?? "";
  });
  expect(await codeOf(client.backups.verify({ params: { id } }))).toBe("backups.no_key");
  expect(await codeOf(client.backups.verify({ params: { id: "20260101T000000Z-abcdefgh" } }))).toBe(
    "backups.not_found",
  );
  await sealing.close();
}, 60_000);
