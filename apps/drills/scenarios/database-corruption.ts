import { open, readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Drill, Measured } from "../drill.ts";
import { startArchivedWrites } from "../parts/archived-writes.ts";
import { backedUp } from "../parts/backups.ts";
import { securewave } from "../parts/command.ts";
import { freePort, startProgram } from "../parts/programs.ts";
import { controlPlaneCommand, demandServing, type Service, startService } from "../parts/service.ts";
import { until } from "../parts/waiting.ts";

/** PostgreSQL's own tables have smaller numbers: FirstNormalObjectId, src/include/access/transam.h. */
const FIRST_OWN_NUMBER = 16_384;
const PAGE_BYTES = 8_192;

/** The disk flips bits in the database's tables: PostgreSQL notices, and all is restored from the backup. */
export async function databaseCorruption(drill: Drill): Promise<Measured> {
  drill.step("a service that backs itself up");
  const service = await startService(drill, { name: "service", env: await backedUp(drill) });
  const { client: admin } = await service.admin();
  const writes = await startArchivedWrites(drill, admin);

  await service.program.cut();
  const faultMs = performance.now();
  const store = join(service.dataDir, "store");
  const flipped = await flipBits(join(store, "pgdata", "base"));
  drill.step(`the machine crashed, and a bit is flipped in each of ${flipped} tables and indexes`);
  drill.check("the corruption is noticed, and nothing is served from it", await isNoticed(drill, service));

  await rename(store, `${store}.corrupted`);
  await securewave(drill, service, ["backup", "restore", "--to", "latest"]);
  const restored = await startService(drill, { name: "service", port: service.port, env: service.env });
  const rtoSeconds = ((await writes.nextAfter(faultMs)) - faultMs) / 1000;
  drill.step("the service answers, and writes are acknowledged");
  await demandServing(restored);
  return { rtoSeconds, ...(await writes.settle(faultMs)) };
}

/** @returns how many files */
async function flipBits(baseDir: string): Promise<number> {
  let count = 0;
  for (const database of await readdir(baseDir))
    for (const name of await readdir(join(baseDir, database))) {
      const path = join(baseDir, database, name);
      if (!/^\d+$/.test(name) || Number(name) < FIRST_OWN_NUMBER) continue;
      if ((await stat(path)).size < PAGE_BYTES) continue;
      const file = await open(path, "r+");
      const bytes = Buffer.alloc(1);
      await file.read(bytes, 0, 1, PAGE_BYTES / 2);
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      await file.write(bytes, 0, 1, PAGE_BYTES / 2);
      await file.close();
      count++;
    }
  return count;
}

/** Starts the service on what is left: it must not come up, or answer with what it reads. */
async function isNoticed(drill: Drill, { dir, env }: Pick<Service, "dir" | "env">): Promise<boolean> {
  const [command = "", ...args] = controlPlaneCommand();
  // Where nobody reaches it: what it acknowledged would be lost.
  const port = String(await freePort());
  const program = startProgram(drill, command, { args, cwd: dir, env: { ...env, API_PORT: port } });
  let hasEnded = false;
  void program.exited.then(() => {
    hasEnded = true;
  });
  const verdict = await until("a sign of the corruption", async () => {
    if (hasEnded) return true;
    const answer = await fetch(`http://127.0.0.1:${port}/api/health`);
    const { status } = (await answer.json()) as { status?: string };
    return status === "unhealthy" || answer.status >= 500;
  });
  await program.cut();
  return verdict;
}
