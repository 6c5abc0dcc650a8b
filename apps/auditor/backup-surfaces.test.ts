import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  type ArchiveReceiver,
  createIdentity,
  openTarget,
  receiveArchive,
  storeBackup,
  type Target,
  takeBase,
} from "@securewave/backup";
import { openTestS3 } from "@securewave/backup/targets/testing-s3";
import { type Database, openDatabase } from "@securewave/database";
import { STORE_DATABASE, STORE_USER } from "@securewave/database/postgres-process";
import { systemClock } from "@securewave/foundation";
import { complaintsOf, type Ghost, postgresSurfaces, type Report, runGhosts } from "@securewave/ghosts";
import type { BackupControls } from "@securewave/ghosts/auditor-protocol";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backupSurfaces } from "./backup-surfaces.ts";

const dir = temporaryDir("auditor-backups");
/** A folder is searched in e2e/zero-log-audit.e2e.test.ts. */
const s3 = await openTestS3();
const { url, credentials } = s3;
const { identity, recipient } = createIdentity();
const kept = { recipients: [recipient], version: "0.1.0", clock: systemClock };
let database: Database;
let target: Target;
let archive: ArchiveReceiver;
/** By the last test. */
let made: string[] = [];
let connection: { connectionString: string };

beforeAll(async () => {
  database = await openDatabase({ dir: join(dir.path, "store"), poolMax: 4, statementTimeoutMs: 20_000 });
  const host = encodeURIComponent(database.pool.options.host ?? "");
  connection = { connectionString: `postgresql://${STORE_USER}@localhost/${STORE_DATABASE}?host=${host}` };
  await database.pool.query("create table visits (address inet)");
  target = await openTarget({ url, credentials });
  archive = await receiveArchive({ target, ...kept, connection, everySeconds: 1 });
});
afterAll(async () => {
  await archive?.close();
  await database?.close();
  await s3.close();
  dir.remove();
});

const placeOf = (identities: readonly string[], isOn = true) => ({
  isOn,
  target: { url, credentials },
  identities,
  archiveSeconds: 1,
  isDatabaseFollowed: true,
});

/** What the service does when it is asked. */
async function backUp(controls: BackupControls, settings: string) {
  const base = await takeBase({ target, ...kept, connection });
  const texts = { config: `${settings}\n${controls.config}`, vpn: controls.vpn };
  const others = (["config", "vpn"] as const).map((kind) =>
    storeBackup({
      ...{ target, ...kept, kind, counts: {} },
      contents: [{ name: `${kind}.txt`, open: () => [Buffer.from(texts[kind])] }],
    }),
  );
  await archive.flush();
  made = [base, ...(await Promise.all(others))].map(({ id }) => id);
  return { backupIds: made };
}

async function search(act: (ghosts: readonly Ghost[]) => Promise<string>): Promise<Report> {
  let settings = "";
  const [planting] = postgresSurfaces({
    query: async (statement, values) => (await database.pool.query(statement, values && [...values])).rows,
    connection: [],
    dataDir: dir.path,
  });
  if (planting === undefined) throw new Error("PostgreSQL has surfaces");
  const surfaces = await backupSurfaces(
    {
      backups: placeOf([identity]),
      pool: database.pool,
      planting: planting.id,
      backUp: (controls) => backUp(controls, settings),
    },
    () => {},
  );
  const step = {
    does: "they come",
    async act(ghosts: readonly Ghost[]) {
      settings = await act(ghosts);
      return ghosts;
    },
  };
  return runGhosts({
    ...{ seed: randomBytes(32), clock: systemClock, software: { name: "SecureWave", version: "0.1.0" } },
    // Its files are another test's.
    surfaces: [{ ...planting, collect: async function* () {} }, ...surfaces],
    steps: [step],
    ghosts: 3,
  });
}

const ofBackups = (report: Report) => report.surfaces.filter(({ id }) => id.startsWith("backup-"));

test("backups are opened, and what was planted is found in each of them", async () => {
  const report = await search(async () => "nothing of theirs");
  const surfaces = ofBackups(report);
  expect(complaintsOf({ surfaces })).toEqual([]);
  expect(surfaces.map(({ id }) => id)).toEqual([
    "backup-database",
    "backup-archive",
    "backup-config",
    "backup-vpn",
  ]);
  for (const { controls } of surfaces) expect(controls.length).toBeGreaterThan(0);
});

test("a trace is found in a backup: of the database also when its row is gone, and in what lies there unsealed", async () => {
  const report = await search(async (ghosts) => {
    for (const { ipv4 } of ghosts) await database.pool.query("insert into visits values ($1)", [ipv4]);
    await database.pool.query("delete from visits");
    const addresses = ghosts.map(({ ipv4 }) => ipv4).join(" ");
    await target.put("backups/vpn/notes.txt", [Buffer.from(addresses)]);
    return `seen: ${addresses}`;
  });
  const found = ofBackups(report).map(({ id, hits }) => [
    id,
    hits.map(({ encoding, source }) => `${encoding} in ${source.split("/").at(-1)}`),
  ]);
  expect(found).toEqual([
    ["backup-database", expect.arrayContaining(["inet in base.tar"])],
    ["backup-archive", expect.arrayContaining(["inet in log since the search began"])],
    ["backup-config", expect.arrayContaining(["text in config.txt"])],
    ["backup-vpn", expect.arrayContaining(["text in notes.txt"])],
  ]);
  for (const secret of [identity, credentials.secretAccessKey])
    expect(JSON.stringify(report)).not.toContain(secret);
});

test("a search that cannot open a backup is not complete", async () => {
  const surfaces = await backupSurfaces(
    {
      backups: placeOf([createIdentity().identity]),
      pool: database.pool,
      planting: "backup-config",
      backUp: async () => ({ backupIds: made }),
    },
    () => {},
  );
  const report = await runGhosts({
    ...{ seed: randomBytes(32), clock: systemClock, software: { name: "SecureWave", version: "0.1.0" } },
    ...{ surfaces, steps: [], ghosts: 1 },
  });
  expect(report.outcome).toBe("incomplete");
  for (const { problems } of report.surfaces) expect(problems.join()).toContain("backup_seal.wrong_key");
});

test.each([
  ["it holds only the key that seals them", placeOf([])],
  ["which makes none", placeOf([identity], false)],
])("what cannot be searched is told: %s", async (words, backups) => {
  const leftOut: string[] = [];
  const access = { backups, pool: database.pool, planting: "", backUp: async () => ({ backupIds: [] }) };
  expect(await backupSurfaces(access, (what) => void leftOut.push(what))).toEqual([]);
  expect(leftOut.join()).toContain(words);
});
