import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type EmbeddedPostgres, openEmbeddedPostgres } from "@securewave/database";
import { systemClock } from "@securewave/foundation";
import { requirements } from "@securewave/testing/requirements";
import { run, runOrThrow } from "@securewave/testing/run";
import { temporaryDir } from "@securewave/testing/temporary";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { takeBase } from "../database/base.ts";
import { parseLsn } from "../database/lsn.ts";
import { listBackups } from "../manifest.ts";
import { restoreDatabase, withRestored } from "../restoring/restore.ts";
import { createIdentity } from "../sealing/keys.ts";
import { openTarget } from "../targets/open.ts";
import type { Target } from "../targets/target.ts";
import { openTestS3 } from "../targets/testing-s3.ts";
import { verifyArchive } from "../verify.ts";
import { type ArchiveReceiver, receiveArchive } from "./receiver.ts";

const needs = requirements({ root: true, tools: ["mount", "umount"] });
const dir = temporaryDir("backup-trouble");
const diskDir = join(dir.path, "disk");
const { identity, recipient } = createIdentity();
const keys = { recipients: [recipient], identities: [identity] };
let store: EmbeddedPostgres;
let client: pg.Client;
let archive: ArchiveReceiver | undefined;
let troubles: string[] = [];

beforeAll(async () => {
  store = await openEmbeddedPostgres({ dir: join(dir.path, "store"), isThrowaway: true });
  client = new pg.Client(store.connection);
  await client.connect();
  await client.query("set synchronous_commit = local"); // a store for throwing away waits for nothing
  await client.query("create table notes (number bigserial primary key, words text)");
});
beforeEach(async () => {
  troubles = [];
  await client.query("truncate notes");
});
afterEach(() => archive?.close());
afterAll(async () => {
  await client.end();
  await store.close();
  await run("umount", [diskDir]);
  dir.remove();
});

const base = (target: Target) =>
  takeBase({ target, ...keys, connection: store.connection, version: "0.1.0", clock: systemClock });

async function follow(target: Target): Promise<ArchiveReceiver> {
  archive = await receiveArchive({
    ...{ target, ...keys, connection: store.connection, everySeconds: 1 },
    onTrouble: (error) =>
      void troubles.push(error instanceof Error && "code" in error ? String(error.code) : ""),
  });
  return archive;
}

/** Writes rows of a KiB that hardly compresses. */
async function insert(rows: number): Promise<void> {
  await client.query(
    `insert into notes (words)
       select (select string_agg(encode(sha512((random()::text || n || part)::bytea), 'hex'), '')
         from generate_series(1, 8) as part)
       from generate_series(1, $1::int) as n`,
    [rows],
  );
}

function countRestored(target: Target, to: Date | "latest"): Promise<number> {
  const scratchDir = join(dir.path, "scratch");
  return withRestored({ target, ...keys, to, scratchDir }, async (connection) => {
    const restored = new pg.Client(connection);
    await restored.connect();
    const { rows } = await restored.query("select count(*)::int as count from notes");
    await restored.end();
    return Number(rows[0]?.count);
  });
}

test("a target that goes away while it archives gets all when it comes back", async () => {
  const s3 = await openTestS3();
  try {
    const target = await openTarget({ url: s3.url, credentials: s3.credentials });
    const following = await follow(target);
    const manifest = await base(target);
    s3.answer(503);
    await insert(100);
    await expect.poll(() => troubles).toContain("backup_target.unreachable");
    await insert(100);
    const { rows } = await client.query("select pg_current_wal_flush_lsn() as lsn");
    expect(following.state().archivedTo).toBeLessThan(parseLsn(rows[0]?.lsn));
    s3.answer(undefined);
    await following.flush();
    await following.close();
    expect((await verifyArchive({ target, bases: [manifest], ...keys })).findings).toEqual([]);
    expect(await countRestored(target, "latest")).toBe(200);
  } finally {
    await s3.close();
  }
});

test("what was written while nobody archived is restored to any instant in it", async () => {
  const target = await openTarget({ url: join(dir.path, "late") });
  const following = await follow(target);
  await base(target);
  await following.close();
  await client.query("select pg_sleep(1.1)");
  await insert(16_000); // some pieces, all received later
  const { rows } = await client.query("select clock_timestamp() as at");
  const between = new Date(Number(rows[0]?.at) + 1);
  await client.query("select pg_sleep(0.1)");
  await insert(1);
  const again = await follow(target);
  await again.flush();
  await again.close();
  expect(troubles).toEqual([]);
  expect(await countRestored(target, between)).toBe(16_000);
  expect(await countRestored(target, "latest")).toBe(16_001);
});

test.skipIf(!needs.ok)(
  needs.title(
    "a full disk leaves what is there, and the archive goes on when there is room; a restore says so",
  ),
  async () => {
    await mkdir(diskDir);
    await runOrThrow("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", diskDir]);
    const target = await openTarget({ url: diskDir });
    const following = await follow(target);
    const manifest = await base(target);
    const fillerPath = join(diskDir, "filler");
    expect(() => writeFileSync(fillerPath, Buffer.alloc(24 * 2 ** 20))).toThrow("ENOSPC");
    await expect(base(target)).rejects.toMatchObject({ code: "backup_target.full" });
    await insert(1000);
    await expect.poll(() => troubles).toContain("backup_target.full");
    const { backups, unfinished } = await listBackups(target, "database");
    expect([backups, unfinished]).toEqual([[manifest], []]);
    rmSync(fillerPath);
    await following.flush();
    await following.close();
    expect(await countRestored(target, "latest")).toBe(1000);

    const into = join(diskDir, "restored");
    await expect(restoreDatabase({ target, ...keys, to: "latest", into })).rejects.toMatchObject({
      code: "backup.disk_full",
    });
    expect(readdirSync(diskDir).sort()).toEqual(["archive", "backups"]);
  },
);
