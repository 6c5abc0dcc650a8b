/**
 * A process of the service that rewrites the ledger and stops at a given moment, to be killed there.
 *
 * Arguments: the database's URL, the key file, the instant in milliseconds, the account that used 5 MiB, the moment.
 */
import { openDatabase } from "@securewave/database";
import { createManualClock } from "@securewave/foundation";
import { createLedger } from "./ledger.ts";
import { createFakeUsage } from "./testing-usage.ts";

/** Where it stops. */
const MOMENTS = ["before commit", "after commit"] as const;
const USED_BYTES = 5 * 2 ** 20;

const [url = "", keyFile = "", nowMs, accountId = "", moment] = process.argv.slice(2);

/** Says that the moment has come, and waits for the end. */
async function stopHere(): Promise<never> {
  process.stdout.write("here\n");
  setInterval(() => undefined, 1000);
  return new Promise(() => undefined);
}

const database = await openDatabase({ url, poolMax: 3, statementTimeoutMs: 30_000 });
const { db } = database;
const stopping = new Proxy(db, {
  get(target, name) {
    const value = Reflect.get(target, name, target);
    if (name !== "transaction") return typeof value === "function" ? value.bind(target) : value;
    return () => ({
      async execute(work: Parameters<ReturnType<typeof db.transaction>["execute"]>[0]) {
        const result = await db.transaction().execute(async (trx) => {
          const done = await work(trx);
          if (done === "flushed" && moment === MOMENTS[0]) await stopHere();
          return done;
        });
        if (result === "flushed" && moment === MOMENTS[1]) await stopHere();
        return result;
      },
    });
  },
});
const usage = createFakeUsage();
const ledger = createLedger({
  database: { ...database, db: stopping },
  clock: createManualClock(Number(nowMs)),
  keyFile,
  flushAt: 0,
  usage,
  onTrouble: (trouble, cause) => {
    throw new Error(trouble, { cause });
  },
});
await ledger.open();
await ledger.loaded();
usage.use(accountId, USED_BYTES);
await ledger.flushIfDue();
