/** A base, a restore and the archive of packages/backup beside pg_basebackup, zstd, age and pg_receivewal. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createIdentity, openTarget, receiveArchive, restoreDatabase, takeBase } from "@securewave/backup";
import { missingServer, openTestServer, type TestServer } from "@securewave/database/testing-server";
import { systemClock } from "@securewave/foundation";
import { temporaryDir } from "@securewave/testing";
import { hasTool } from "@securewave/testing/requirements";
import { postgresBinDir } from "../e2e/debian-postgres.ts";
import { createRawEngine, postgresMajor, type RawEngine } from "./backup-raw.ts";
import type { Bench, BenchRun } from "./figure.ts";
import { median, timed } from "./statistics.ts";

/** Each row takes about 250 bytes, with its place in the index. */
const ROWS = 4_600_000;
const QUICK_ROWS = 400_000;
const ROUNDS = 3;
const WRITING_SECONDS = 15;
const QUICK_WRITING_SECONDS = 4;
/** Half the bytes of a row are random: it compresses to a good half. */
const FILL = `insert into bench_rows
  select n, encode(sha256(n::text::bytea), 'hex') || md5(n::text) || repeat(' words', 12)
  from generate_series($1::bigint, $2::bigint) as n`;
const WRITE = "insert into bench_writes (words) values (repeat(md5(random()::text), 8));\n";

interface BackupScene {
  readonly dir: string;
  readonly server: TestServer;
  readonly raw: RawEngine;
  readonly recipients: readonly string[];
  readonly identities: readonly string[];
  readonly rows: number;
}

export const backup: Bench = {
  name: "backup",
  async measure(run) {
    const missing = [missingServer(), ...["zstd", "age"].filter((tool) => !hasTool(tool))];
    const reason = missing.filter((each) => each !== undefined).join(", ");
    if (reason !== "") return run.leaveOut(`backup.*, restore.*, archive.* (${reason} is not installed)`);
    const dir = temporaryDir("bench-backup");
    const server = await openTestServer({ settings: { fsync: "on", max_wal_size: "4GB" } });
    try {
      const scene = await openScene(dir.path, server, run);
      await measureBase(scene, run);
      await measurePoint(scene, run);
      await measureWrites(scene, run);
    } finally {
      await server.close();
      dir.remove();
    }
  },
};

async function openScene(dir: string, server: TestServer, run: BenchRun): Promise<BackupScene> {
  const { identity, recipient } = createIdentity();
  const identityPath = join(dir, "identity");
  await writeFile(identityPath, `${identity}\n`, { mode: 0o600 });
  const binDir = (await postgresBinDir()) ?? "";
  const scratchDir = join(dir, "s");
  await mkdir(scratchDir, { mode: 0o777 });
  const raw = createRawEngine({
    ...{ binDir, major: await postgresMajor(binDir), url: server.url },
    ...{ recipient, identityPath, scratchDir },
  });
  const rows = run.isQuick ? QUICK_ROWS : ROWS;
  await server.run(
    "create table bench_rows (id bigint primary key, words text not null)",
    "create table bench_writes (id bigserial primary key, words text not null)",
    fill(1, rows),
    "vacuum analyze",
  );
  const [size] = await server.run(
    "select pg_size_pretty(sum(pg_database_size(oid))) as size from pg_database",
  );
  run.progress(`  ${rows} rows, ${size?.size}`);
  return { dir, server, raw, recipients: [recipient], identities: [identity], rows };
}

/** A base and a restore of it without an archive, ours and raw in turns. */
async function measureBase(scene: BackupScene, { progress, report }: BenchRun): Promise<void> {
  const { dir, server, raw, identities, rows } = scene;
  const backups = { ours: [] as number[], raw: [] as number[] };
  const restores = { ours: [] as number[], raw: [] as number[] };
  const [targetDir, file] = [join(dir, "target"), join(dir, "raw.age")];
  for (let round = 0; round < ROUNDS; round++) {
    await rm(targetDir, { recursive: true, force: true });
    const target = await openTarget({ url: targetDir });
    await server.run("checkpoint");
    backups.ours.push(await timed(() => base(scene, targetDir)));
    await server.run("checkpoint");
    backups.raw.push(await timed(() => raw.backUp(file)));

    const [ours, plain] = restoredDirs(dir, `base-${round}`);
    restores.ours.push(await timed(() => restoreDatabase({ target, identities, to: "latest", into: ours })));
    restores.raw.push(await timed(() => raw.restore(file, plain)));
    progress(`  base ${pair(backups)}, restore ${pair(restores)}`);
  }
  report(
    ratio(
      "backup.vs_raw",
      backups,
      `Base of ${rows} rows, compressed, sealed and on the disk; raw: pg_basebackup | zstd -1 | age`,
    ),
    ratio(
      "restore.vs_raw",
      restores,
      "The same, unpacked, replayed and shut down; raw: age -d | zstd -d | tar, then PostgreSQL",
    ),
  );
}

/** A restore to an instant between two loads of writes behind the base. */
async function measurePoint(scene: BackupScene, { progress, report }: BenchRun): Promise<void> {
  const { dir, server, raw, recipients, identities, rows } = scene;
  const connection = { connectionString: server.url };
  const [targetDir, file] = [join(dir, "target-point"), join(dir, "point.age")];
  const target = await openTarget({ url: targetDir });
  const archive = await receiveArchive({ target, recipients, connection, onTrouble: rethrow });
  const archiveDir = join(dir, "segments");
  const receiving = await raw.receive(archiveDir);
  await base(scene, targetDir);
  await raw.backUp(file);
  const more = Math.round(rows / 10);
  await server.run(fill(rows + 1, rows + more));
  const [now] = await server.run("select clock_timestamp() as at");
  const to = new Date(Math.ceil(Number(now?.at)) + 1);
  await server.run("select pg_sleep(1.1)", fill(rows + more + 1, rows + 2 * more));
  const [last] = await server.run("select pg_walfile_name(pg_switch_wal()) as segment");
  await archive.flush();
  await archive.close();
  await receiving.whenItHas(String(last?.segment));
  await receiving.stop();
  await raw.sealSegments(archiveDir);

  const restores = { ours: [] as number[], raw: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    const [ours, plain] = restoredDirs(dir, `point-${round}`);
    restores.ours.push(await timed(() => restoreDatabase({ target, identities, to, into: ours })));
    restores.raw.push(await timed(() => raw.restore(file, plain, { archiveDir, to })));
    progress(`  restore to an instant ${pair(restores)}`);
  }
  report(
    ratio(
      "restore.instant_vs_raw",
      restores,
      `To an instant with ${more} rows behind the base, from sealed pieces; raw: restore_command opens pg_receivewal's segments, compressed and sealed each`,
    ),
  );
}

/** What following the log costs those who write. */
async function measureWrites(scene: BackupScene, { isQuick, progress, report }: BenchRun): Promise<void> {
  const { dir, server, raw, recipients } = scene;
  const seconds = isQuick ? QUICK_WRITING_SECONDS : WRITING_SECONDS;
  const scriptPath = join(dir, "write.sql");
  await writeFile(scriptPath, WRITE);
  const rates = { alone: [] as number[], ours: [] as number[], raw: [] as number[] };
  const write = async () => {
    await server.run("truncate bench_writes", "checkpoint");
    return raw.writesPerSecond(scriptPath, seconds);
  };
  const target = await openTarget({ url: join(dir, "target-writes") });
  for (let round = 0; round < ROUNDS; round++) {
    rates.alone.push(await write());
    const connection = { connectionString: server.url };
    const archive = await receiveArchive({ target, recipients, connection, onTrouble: rethrow });
    rates.ours.push(await write());
    await archive.close();
    const receiving = await raw.receive(join(dir, `written-${round}`));
    rates.raw.push(await write());
    await receiving.stop();
    const told = Object.entries(rates).map(([who, each]) => `${who} ${Math.round(each.at(-1) ?? 0)}`);
    progress(`  inserts/s: ${told.join(", ")}`);
  }
  const [alone, ours, plain] = [median(rates.alone), median(rates.ours), median(rates.raw)];
  report({
    id: "archive.write_cost",
    value: ours / alone,
    unit: "× without",
    limit: plain / alone,
    goal: null,
    note: `Inserts/s of 8 clients while the log is archived, ${Math.round(ours)} of ${Math.round(alone)}; limit: beside pg_receivewal, ${Math.round(plain)}`,
  });
}

async function base({ server, recipients }: BackupScene, targetDir: string): Promise<void> {
  const target = await openTarget({ url: targetDir });
  const connection = { connectionString: server.url };
  await takeBase({ target, recipients, connection, version: "0.1.0", clock: systemClock });
}

/** Nothing is removed between rounds: ext4 is slow to make files where many were removed a few seconds ago. */
function restoredDirs(dir: string, name: string): [string, string] {
  return [join(dir, `ours-${name}`), join(dir, `raw-${name}`)];
}

function fill(from: number, to: number): string {
  return FILL.replace("$1", String(from)).replace("$2", String(to));
}

function ratio(id: string, times: { ours: number[]; raw: number[] }, what: string) {
  const [ours, raw] = [median(times.ours), median(times.raw)];
  return {
    id,
    value: ours / raw,
    unit: "× raw",
    limit: 1,
    goal: "<=1.1",
    note: `${what}: ${pairOf(ours, raw)}`,
  };
}

function pair({ ours, raw }: { ours: number[]; raw: number[] }): string {
  return pairOf(ours.at(-1) ?? 0, raw.at(-1) ?? 0);
}

function pairOf(oursMs: number, rawMs: number): string {
  return `${(oursMs / 1000).toFixed(2)} s beside ${(rawMs / 1000).toFixed(2)} s`;
}

function rethrow(error: unknown): never {
  throw error;
}
