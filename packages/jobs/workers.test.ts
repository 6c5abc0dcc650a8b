import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { openTestDatabase } from "@securewave/database/testing";
import { eventually } from "@securewave/testing/eventually";
import { afterAll, afterEach, expect, test } from "vitest";
import { createJobs } from "./index.ts";

const WORKER = fileURLToPath(new URL("testing-worker.ts", import.meta.url));
const database = await openTestDatabase();
const desk = createJobs(database, () => undefined);
desk.define("shared", async () => undefined, { isSingle: true });
desk.define("letter", async () => undefined);

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});
afterAll(async () => {
  await desk.stop();
  await database.close();
});

/** Starts a worker, and waits until it works. Its lines go to `lines`, among those of others. */
async function startWorker(lines: string[], mode = "works"): Promise<ChildProcess> {
  const child = spawn(process.execPath, [WORKER, database.url, mode], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.add(child);
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
  });
  await eventually(async () => expect(lines).toContain(`ready ${child.pid}`), { timeoutMs: 60_000 });
  return child;
}

const runsIn = (lines: readonly string[]) => lines.filter((line) => !line.startsWith("ready"));

test("workers of two processes never run one job at once, whoever asks for it and how often", async () => {
  const lines: string[] = [];
  await Promise.all([startWorker(lines), startWorker(lines)]);
  for (let asked = 0; asked < 12; asked++) await desk.send("shared", {});
  await eventually(
    async () => {
      for (let asked = 0; asked < 3; asked++) await desk.send("shared", {});
      expect(new Set(runsIn(lines)).size, "both processes have run it").toBe(4);
    },
    { timeoutMs: 60_000, everyMs: 50 },
  );
  const { rows } = await database.pool.query("select requests, requests_done, holder from job_states");
  expect(rows[0].requests).toBeGreaterThanOrEqual(12);
  let holder: string | undefined;
  for (const line of runsIn(lines)) {
    const [what, pid] = line.split(" ");
    if (what === "begin") expect(holder, "nobody else runs it").toBeUndefined();
    holder = what === "begin" ? pid : undefined;
  }
});

test("another worker takes over from one that was killed, also a letter", async () => {
  const lines: string[] = [];
  const dying = await startWorker(lines, "hangs");
  await Promise.all([desk.send("shared", {}), desk.send("letter", {})]);
  await eventually(async () => expect(runsIn(lines)).toHaveLength(2), { timeoutMs: 30_000 });
  dying.kill("SIGKILL");
  // As if ten seconds had passed, by which the queue knows a dead worker.
  await database.pool.query("update jobs.job set heartbeat_on = heartbeat_on - interval '1 minute'");
  await startWorker(lines);
  await eventually(
    async () => expect(runsIn(lines).filter((line) => line.startsWith("end"))).toHaveLength(2),
    { timeoutMs: 90_000 },
  );
  const [shared, letter] = await desk.list();
  expect(shared?.state).toBe("idle");
  expect(letter).toMatchObject({ waiting: 0, dead: 0 });
});
