import { append, type Frontier, leafOf } from "@securewave/audit-trail";
import type { Database, Tables } from "@securewave/database";
import type { Kysely } from "kysely";
import type { QueueSeal } from "./queue-seal.ts";
import { TrailChangedError } from "./signing.ts";
import * as store from "./store.ts";

const BATCH = 500;
/** Acts that come close together get their places together. */
const DELAY_MS = 100;
const RETRY_MS = 5_000;

export interface SequencerOptions {
  readonly database: Database;
  readonly seal: QueueSeal;
  /** Hears of each state that this process has written. */
  readonly onWritten: (frontier: Frontier) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Gives acts their places in the tree, one process at a time. An act waits in a table for its place, so that whatever
 * ends a process, the next one finds it there.
 */
export function createSequencer({ database, seal, onWritten, onError }: SequencerOptions) {
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
    running = running.catch(() => undefined).then(sequenceAll);
    return running;
  }

  async function sequenceAll(): Promise<void> {
    let taken = BATCH;
    while (taken === BATCH) {
      const batch = await database.as("worker", () =>
        database.transaction((trx) => sequenceBatch(trx, seal)),
      );
      taken = batch.taken;
      if (batch.frontier) onWritten(batch.frontier);
      if (batch.foreign > 0)
        onError(new TrailChangedError(`the service did not write ${batch.foreign} acts of the audit queue`));
    }
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

interface Batch {
  readonly taken: number;
  /** Of those, what somebody else has put there: left out. */
  readonly foreign: number;
  /** Undefined where nothing was appended. */
  readonly frontier: Frontier | undefined;
}

async function sequenceBatch(trx: Kysely<Tables>, seal: QueueSeal): Promise<Batch> {
  await store.lockTrail(trx);
  const queued = await store.takeQueued(trx, BATCH);
  const own = queued.flatMap(({ sealed, body }) => {
    const salt = seal.open(sealed, body);
    return salt ? [{ salt, body }] : [];
  });
  const count = { taken: queued.length, foreign: queued.length - own.length };
  if (own.length === 0) return { ...count, frontier: undefined };
  let frontier = await store.readFrontier(trx);
  const entries = own.map(({ salt, body }) => {
    const index = frontier.size;
    const leaf = leafOf(index, salt, body);
    frontier = append(frontier, leaf);
    return { index, leaf, salt, body };
  });
  await store.insertEntries(trx, entries);
  await store.saveFrontier(trx, frontier);
  return { ...count, frontier };
}
