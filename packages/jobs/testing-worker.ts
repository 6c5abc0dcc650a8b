/**
 * A worker in a process of its own, for tests: `node testing-worker.ts URL MODE`. Each run of its job says `begin`
 * and `end` on standard output, with the milliseconds of a clock that all processes share.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { openDatabase } from "@securewave/database";
import { createJobs } from "./index.ts";

const [url = "", mode = ""] = process.argv.slice(2);
const database = await openDatabase({ url, poolMax: 4, statementTimeoutMs: 10_000 });
const say = (what: string) => process.stdout.write(`${what} ${process.pid}\n`);
const jobs = createJobs(database, () => undefined, { pollSeconds: 0.5, leaseSeconds: 2 });
async function run(): Promise<void> {
  say("begin");
  if (mode === "hangs") await new Promise(() => setInterval(() => {}, 1_000));
  await sleep(100);
  say("end");
}
jobs.define("shared", run, { isSingle: true });
jobs.define("letter", run);
await jobs.start();
say("ready");
