import { open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { targetErrors } from "@securewave/backup";
import type { Drill, Measured } from "../drill.ts";
import { archived, backedUp, backUp, followed, verify } from "../parts/backups.ts";
import { startHeartbeat } from "../parts/heartbeat.ts";
import { startService } from "../parts/service.ts";
import { demand, until } from "../parts/waiting.ts";

/** So that the archive has several pieces. */
const ARCHIVE_SECONDS = "1";
const WRITES_FOR_MS = 6_000;
/** A file in place of a folder. */
const REFUSED = targetErrors.failed.code;

/** Plants a flipped bit, a hole in the archive, and a stopped archive: each must be found, and nothing where none is. */
export async function backupVerify(drill: Drill): Promise<Measured> {
  drill.step("a service that backs itself up");
  const settings = await backedUp(drill);
  const env = { ...settings, BACKUP_ARCHIVE_SECONDS: ARCHIVE_SECONDS };
  const service = await startService(drill, { name: "service", env });
  const { client: admin } = await service.admin();
  const target = settings.BACKUP_TARGET ?? "";
  await followed(admin);
  const id = await backUp(drill, admin, "database");
  const heartbeat = startHeartbeat(admin);
  drill.closing.defer(heartbeat.stop);
  await pause(WRITES_FOR_MS);
  await archived(admin);

  const beganMs = performance.now();
  const sound = await verify(drill, admin, id);
  const rtoSeconds = (performance.now() - beganMs) / 1000;
  drill.check(`nothing is found in a sound backup${sound === "" ? "" : ` (${sound})`}`, sound === "");

  const base = await largestBelow(join(target, "backups", "database", id));
  await flipBit(base);
  drill.check("a flipped bit in a backup is found", (await verify(drill, admin, id)) !== "");
  await flipBit(base);

  const piece = await middlePiece(join(target, "archive"));
  await rename(piece, `${target}.piece`);
  drill.check("a hole in the archive is found", (await verify(drill, admin, id)) !== "");
  await rename(`${target}.piece`, piece);
  const mended = await verify(drill, admin, id);
  drill.check(`with both put back, nothing is found${mended === "" ? "" : ` (${mended})`}`, mended === "");

  const faultMs = performance.now();
  await rename(join(target, "archive"), `${target}.archive`);
  await writeFile(join(target, "archive"), "");
  drill.step("the archive cannot be written any more");
  const problem = await until("a word on the stopped archive", async () => {
    const { archive } = await admin.backups.state();
    demand(archive.state === "stopped" && archive.problem_code !== null, `it is ${archive.state}`);
    return archive.problem_code;
  }).catch(() => undefined);
  const seenAfter = ((performance.now() - faultMs) / 1000).toFixed(1);
  drill.check(
    `a stopped archive is reported (${problem ?? "nothing"}, after ${seenAfter} s)`,
    problem === REFUSED,
  );

  await rm(join(target, "archive"));
  await rename(`${target}.archive`, join(target, "archive"));
  drill.step("the archive can be written again");
  const keptToMs = await archived(admin);
  const { archive } = await admin.backups.state();
  const isMended = archive.state === "following" && archive.problem === null;
  drill.check("it is followed again by itself, and says so", isMended);
  const behindSeconds = (keptToMs - faultMs) / 1000;
  drill.step(`it was behind for ${behindSeconds.toFixed(1)} s`);
  const whole = await verify(drill, admin, id);
  drill.check(`nothing is missing in it${whole === "" ? "" : ` (${whole})`}`, whole === "");
  const settled = await heartbeat.settle(admin, faultMs);
  return { ...settled, rtoSeconds, rpoSeconds: behindSeconds };
}

async function flipBit(path: string): Promise<void> {
  const at = Math.floor((await stat(path)).size / 2);
  const file = await open(path, "r+");
  const bytes = Buffer.alloc(1);
  await file.read(bytes, 0, 1, at);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await file.write(bytes, 0, 1, at);
  await file.close();
}

async function filesBelow(dir: string): Promise<{ path: string; bytes: number }[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return { path, bytes: (await stat(path)).size };
    }),
  );
}

async function largestBelow(dir: string): Promise<string> {
  const [largest] = (await filesBelow(dir)).toSorted((a, b) => b.bytes - a.bytes);
  demand(largest !== undefined, "the backup has no objects");
  return largest.path;
}

/** Their names begin with where they begin. */
async function middlePiece(dir: string): Promise<string> {
  const pieces = (await filesBelow(dir))
    .map(({ path }) => path)
    .filter((path) => /\.wal\.zst\.age$/.test(path));
  const path = pieces.sort()[Math.floor(pieces.length / 2)];
  demand(path !== undefined && pieces.length > 2, `the archive has ${pieces.length} pieces only`);
  return path;
}
