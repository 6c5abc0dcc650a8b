import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type EmbeddedPostgres, openEmbeddedPostgres } from "@securewave/database";
import { systemClock } from "@securewave/foundation";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readArchives } from "../archiving/pieces.ts";
import { type ArchiveReceiver, receiveArchive } from "../archiving/receiver.ts";
import { listBackups, type Manifest } from "../manifest.ts";
import { restorableRanges } from "../restoring/plan.ts";
import { restoreDatabase, withRestored } from "../restoring/restore.ts";
import { createIdentity } from "../sealing/keys.ts";
import { openTarget } from "../targets/open.ts";
import type { Target } from "../targets/target.ts";
import { verifyArchive, verifyObjects } from "../verify.ts";
import { takeBase } from "./base.ts";

const dir = mkdtempSync(join(tmpdir(), "securewave-backup-"));
const { identity, recipient } = createIdentity();
const keys = { recipients: [recipient], identities: [identity] };
let store: EmbeddedPostgres;
let client: pg.Client;
let target: Target;
let targetDir: string;
let archive: ArchiveReceiver | undefined;
const troubles: unknown[] = [];
let places = 0;

beforeAll(async () => {
  store = await openEmbeddedPostgres({ dir: join(dir, "store"), isThrowaway: true });
  client = new pg.Client(store.connection);
  await client.connect();
  await client.query("create table notes (number int primary key, words text)");
});
afterAll(async () => {
  await archive?.close();
  await client.end();
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A target of its own, with the log followed to it. */
async function begin(): Promise<void> {
  await archive?.close();
  await client.query("truncate notes");
  targetDir = join(dir, `target-${places++}`);
  target = await openTarget({ url: targetDir });
  archive = await receiveArchive({
    ...{ target, ...keys, connection: store.connection, everySeconds: 1 },
    onTrouble: (error) => void troubles.push(error),
  });
}

const base = () =>
  takeBase({ target, ...keys, connection: store.connection, version: "0.1.0", clock: systemClock });

async function insert(from: number, to: number): Promise<Date> {
  await client.query(
    "insert into notes select n, repeat(md5(n::text), 30) from generate_series($1::int, $2) n",
    [from, to],
  );
  const { rows } = await client.query("select clock_timestamp() as at");
  return new Date(Math.ceil(Number(rows[0]?.at)) + 1);
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 1100));

async function countRestored(to: Date | "latest"): Promise<number> {
  return withRestored({ target, ...keys, to, scratchDir: join(dir, "scratch") }, async (connection) => {
    const restored = new pg.Client(connection);
    await restored.connect();
    const { rows } = await restored.query("select count(*)::int as count from notes");
    await restored.end();
    return Number(rows[0]?.count);
  });
}

test("any second between a base and the end of the archive is restored, with the rows of then", async () => {
  await begin();
  await insert(1, 10);
  const manifest = await base();
  await pause();
  const first = await insert(11, 5000);
  await pause();
  const second = await insert(5001, 20_000);
  await archive?.flush();

  expect(await countRestored(new Date(manifest.takenAt))).toBe(10);
  expect(await countRestored(first)).toBe(5000);
  expect(await countRestored(second)).toBe(20_000);
  expect(await countRestored("latest")).toBe(20_000);
  const [range, ...others] = restorableRanges(
    (await listBackups(target, "database")).backups,
    await readArchives(target),
  );
  expect(others).toEqual([]);
  expect(range?.from).toEqual(new Date(manifest.takenAt));
  expect(range?.to.getTime()).toBeGreaterThanOrEqual(second.getTime() - 1000);
  expect(troubles).toEqual([]);
  await expect(countRestored(new Date(Date.parse(manifest.takenAt) - 1000))).rejects.toMatchObject({
    code: "backup.too_early",
  });
  await expect(countRestored(new Date(Date.now() + 3_600_000))).rejects.toMatchObject({
    code: "backup.too_late",
  });
});

test("what is kept is found changed or missing, each object by its name, and is not restored", async () => {
  const { backups } = await listBackups(target, "database");
  const [manifest] = backups as [Manifest];
  expect(await verifyObjects({ target, manifest, ...keys })).toEqual([]);
  expect((await verifyArchive({ target, bases: backups, ...keys })).findings).toEqual([]);

  const [{ pieces } = { pieces: [] }] = await readArchives(target);
  const inner = pieces.at(-2);
  const path = join(targetDir, inner?.name ?? "");
  const good = readFileSync(path);
  writeFileSync(path, flipped(good));
  expect((await verifyArchive({ target, bases: backups })).findings).toMatchObject([
    { what: "changed", name: inner?.name },
  ]);
  await expect(countRestored("latest")).rejects.toMatchObject({
    code: "backup_seal.damaged",
    message: expect.stringContaining(inner?.name ?? "nothing"),
  });
  rmSync(path);
  expect((await verifyArchive({ target, bases: backups })).findings).toMatchObject([{ what: "gap" }]);
  await expect(countRestored("latest")).rejects.toMatchObject({ code: "backup.archive_gap" });
  writeFileSync(path, good);

  const basePath = join(targetDir, "backups", "database", manifest.id, "base.tar.zst.age");
  const goodBase = readFileSync(basePath);
  writeFileSync(basePath, flipped(goodBase));
  expect(await verifyObjects({ target, manifest })).toMatchObject([{ what: "changed" }]);
  await expect(countRestored("latest")).rejects.toMatchObject({ code: "backup_seal.damaged" });
  writeFileSync(basePath, goodBase);
  const stranger = createIdentity();
  const into = join(dir, "wrong-key");
  await expect(
    restoreDatabase({ target, identities: [stranger.identity], to: "latest", into }),
  ).rejects.toMatchObject({ code: "backup_seal.wrong_key", message: expect.stringContaining(manifest.id) });
  expect(readdirSync(dir).filter((name) => name.startsWith("wrong-key"))).toEqual([]);
});

test("a target that takes nothing is told of for as long, and once it does nothing is missing", async () => {
  await begin();
  await base();
  const archiveDir = join(targetDir, "archive");
  renameSync(archiveDir, `${archiveDir}.away`);
  writeFileSync(archiveDir, "");
  await insert(1, 1000);
  const trouble = () => archive?.state().trouble;
  await expect.poll(trouble, { timeout: 20_000 }).toMatchObject({ code: "backup_target.failed" });
  expect(troubles.splice(0)).not.toEqual([]);

  rmSync(archiveDir);
  renameSync(`${archiveDir}.away`, archiveDir);
  await expect.poll(trouble, { timeout: 20_000 }).toBeUndefined();
  await archive?.flush();
  expect(await countRestored("latest")).toBe(1000);
});

test("nothing is restored over what is there", async () => {
  const into = join(dir, "full");
  const restored = await restoreDatabase({ target, ...keys, to: "latest", into });
  expect(restored.to).toBeInstanceOf(Date);
  for (const folder of [into, join(dir, "store", "pgdata")]) {
    const before = readdirSync(folder).sort();
    await expect(restoreDatabase({ target, ...keys, to: "latest", into: folder })).rejects.toMatchObject({
      code: "backup.folder_in_use",
    });
    expect(readdirSync(folder).sort()).toEqual(before);
  }
  const nowhere = restoreDatabase({ target, ...keys, to: "latest", into: "/proc/securewave/data" });
  await expect(nowhere).rejects.toMatchObject({ code: "backup.folder_impossible" });
});

test("a second base at once and a second archive are refused", async () => {
  const both = await Promise.allSettled([base(), base()]);
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(both.find(({ status }) => status === "rejected")).toMatchObject({
    reason: { code: "backup.already_running" },
  });
  await expect(receiveArchive({ target, ...keys, connection: store.connection })).rejects.toMatchObject({
    code: "backup.archive_in_use",
  });
});

test("a killed backup is none, a killed restore is no folder, and both are done again", async () => {
  const before = (await listBackups(target, "database")).backups.length;
  await killAtWork("base", targetDir, recipient, String(store.connection.host));
  const { backups, unfinished } = await listBackups(target, "database");
  expect(backups).toHaveLength(before);
  const manifest = await base();
  expect((await listBackups(target, "database")).unfinished).toEqual([]);
  for (const id of unfinished)
    expect(await Array.fromAsync(target.list(`backups/database/${id}`))).toEqual([]);
  expect(await verifyObjects({ target, manifest, ...keys })).toEqual([]);

  const into = join(dir, "killed");
  await killAtWork("restore", targetDir, identity, into);
  expect(readdirSync(dir).filter((name) => name.startsWith("killed"))).toEqual(["killed.unfinished"]);
  await restoreDatabase({ target, ...keys, to: "latest", into });
  expect(readdirSync(dir).filter((name) => name.startsWith("killed"))).toEqual(["killed"]);
});

test("a restored database is backed up on, and what it writes is restored in its turn", async () => {
  await archive?.flush();
  const rows = await countRestored("latest");
  const into = join(dir, "second", "pgdata");
  await restoreDatabase({ target, ...keys, to: "latest", into });
  const second = await openEmbeddedPostgres({ dir: join(dir, "second"), isThrowaway: true });
  await archive?.close();
  archive = undefined;
  try {
    const follower = await receiveArchive({
      target,
      ...keys,
      connection: second.connection,
      everySeconds: 1,
    });
    const writer = new pg.Client(second.connection);
    await writer.connect();
    await writer.query("insert into notes select n, 'later' from generate_series(100001, 100100) n");
    await writer.end();
    await follower.flush();
    await follower.close();
    expect(await countRestored("latest")).toBe(rows + 100); // over the change of timelines
    await takeBase({ target, ...keys, connection: second.connection, version: "0.1.0", clock: systemClock });
    expect(await countRestored("latest")).toBe(rows + 100);
  } finally {
    await second.close();
  }
});

/** Starts the work in a process of its own and kills it when it is under way. */
async function killAtWork(...args: string[]): Promise<void> {
  const path = fileURLToPath(new URL("./testing-base-process.ts", import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(child.signalCode).toBe("SIGKILL");
}

function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 4;
  return changed;
}
