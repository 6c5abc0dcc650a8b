import { append, leafOf } from "@securewave/audit-trail";
import type { Database, Tables } from "@securewave/database";
import type { Kysely } from "kysely";
import * as store from "./store.ts";

const BATCH = 500;
/** Acts that come close together get their places together. */
const DELAY_MS = 100;
const RETRY_MS = 5_000;

/**
 * Gives acts their places in the tree, one process at a time. An act waits in a table for its place, so that whatever
 * ends a process, the next one finds it there.
 */
export function createSequencer(database: Database, onError: (error: unknown) => void) {
  let waiting: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isClosed = false;

  /** After the act's transaction, most likely; one that takes longer is found by the next run. */
  function soon(delayMs = DELAY_MS): void {
    if (isClosed) return;
    waiting ??= setTimeout(() => {
      waiting = undefined;
      run().catch((error: unknown) => {
        onError(error);
        soon(RETRY_MS);
      });
    }, delayMs).unref();
  }

  /** @returns once all that was queued before has its place */
  function run(): Promise<void> {
    running = running
      .catch(() => undefined)
      .then(async () => {
        while ((await database.transaction(sequenceBatch)) === BATCH);
      });
    return running;
  }

  return {
    soon,
    run,
    async close(): Promise<void> {
      isClosed = true;
      clearTimeout(waiting);
      await running.catch(() => undefined);
    },
  };
}

/** @returns how many entries there were */
async function sequenceBatch(trx: Kysely<Tables>): Promise<number> {
  await store.lockTrail(trx);
  const queued = await store.takeQueued(trx, BATCH);
  if (queued.length === 0) return 0;
  let frontier = await store.readFrontier(trx);
  const entries = queued.map(({ salt, body }) => {
    const index = frontier.size;
    const leaf = leafOf(index, salt, body);
    frontier = append(frontier, leaf);
    return { index, leaf, salt, body };
  });
  await store.insertEntries(trx, entries);
  await store.saveFrontier(trx, frontier);
  return queued.length;
}
