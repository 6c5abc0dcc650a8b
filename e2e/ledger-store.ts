import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import pg from "pg";

/** The ledger of a running embedded store. */
export interface LedgerStore extends AsyncDisposable {
  /** How many times the ledger was written. */
  generation(): Promise<number>;
  /** Has the service write it some moments from now. */
  askForFlush(): Promise<void>;
}

export async function openLedgerStore(dataDir: string): Promise<LedgerStore> {
  const names = await readdir(dataDir, { recursive: true });
  const socket = names.find((name) => name.endsWith(".s.PGSQL.5432"));
  if (socket === undefined) throw new Error("the store has no socket below its folder");
  const host = dirname(join(dataDir, socket));
  const store = new pg.Client({ host, user: "securewave", database: "postgres" });
  await store.connect();
  return {
    async generation() {
      const { rows } = await store.query("select generation from usage_ledger_state");
      return Number(rows[0]?.generation);
    },
    async askForFlush() {
      // As if it had never been written, so that it is due.
      await store.query("update usage_ledger_state set flushed_on = null");
      await store.query("update job_states set requests = requests + 1 where name = 'ledger-flush'");
    },
    [Symbol.asyncDispose]: () => store.end(),
  };
}
