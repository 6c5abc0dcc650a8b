import { applyGrants, type Database, type Tables } from "@securewave/database";
import { type Clock, createId, DAY_MS, dayOf, MINUTE_MS, SECOND_MS } from "@securewave/foundation";
import type { Kysely } from "kysely";
import pLimit from "p-limit";
import { fromKysely, PgBoss } from "pg-boss";
import { codeOf, RETRIES_MAX, RETRY_SECONDS_MAX, type Run, retryDelaySeconds } from "./job.ts";
import * as store from "./queued-store.ts";

/** Of a kind of job that people's acts bring: many waiting ones then do not hold up the next for long. */
const WORKERS = 4;
/** The queue asks rarely and is never in a hurry; each connection of its own would cost the store 3 MB. */
const STATEMENTS_AT_ONCE = 2;
/** Finished jobs tell who did what when, so they go soon. */
const KEEP_FINISHED_SECONDS = 60 * 60;
/** Whom it was for knows by then. */
const KEEP_DEAD_DAYS = 30;
/** How often those that are due are deleted; by itself pg-boss does it once a day. */
const SWEEP_SECONDS = 10 * 60;
/** How often what was given up is looked for, and times that a clock which was set back left in the future. */
const TEND_EVERY_MS = MINUTE_MS;
/** Of pg-boss. */
const HEARTBEAT_SECONDS_MIN = 10;
const POLL_SECONDS_MIN = 0.5;
/** By how much more seldom a worker looks that is told of each job: what is tried again is told by nobody. */
const TOLD_POLLS = 10;
/** Our key for the lock under which one process at a time brings the queue's tables up to date. */
const SCHEMA_LOCK_KEY = 5_381_264_902;
/** What pg-boss does to its own tables when it is a newer one, and for which it must own them. */
const CHANGES_SCHEMA = /^\s*(create|alter|drop|reindex)\b/i;

export interface QueuedOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly pollSeconds: number;
  /** How long a worker may be silent until what it does is given to another. */
  readonly leaseSeconds: number;
  readonly definitions: ReadonlyMap<string, Run<object>>;
  readonly onFailure: (name: string, error: unknown) => void;
}

/** Runs what people's acts bring, with its data: pg-boss, each job by one worker, retried with growing delay. */
export function runQueued(options: QueuedOptions) {
  const { database, clock, pollSeconds, leaseSeconds, definitions, onFailure } = options;
  const db = fromKysely(database.db);
  const lane = pLimit(STATEMENTS_AT_ONCE);
  let isOpening = false;
  const boss = new PgBoss({
    db: {
      executeSql: (text, values) => {
        const login = isOpening || CHANGES_SCHEMA.test(text) ? "owner" : "worker";
        return lane(() => database.as(login, () => db.executeSql(text, values)));
      },
      async listen(channel, onMessage, onGap) {
        const end = await database.listen(channel, { onMessage, onGap });
        return { close: async () => end() };
      },
    },
    useListenNotify: true,
    schema: "jobs",
    schedule: false,
    maintenanceIntervalSeconds: SWEEP_SECONDS,
    superviseIntervalSeconds: leaseSeconds,
    monitorIntervalSeconds: leaseSeconds,
  });
  boss.on("error", (error) => onFailure("queue", error));
  let tending: NodeJS.Timeout | undefined;

  let opening: Promise<void> | undefined;
  async function openQueues(): Promise<void> {
    await startBoss();
    const settings = {
      retryLimit: RETRIES_MAX,
      retryDelay: retryDelaySeconds(1),
      retryBackoff: true,
      retryDelayMax: RETRY_SECONDS_MAX,
      heartbeatSeconds: Math.max(leaseSeconds, HEARTBEAT_SECONDS_MIN),
      deleteAfterSeconds: KEEP_FINISHED_SECONDS,
      notify: true,
    };
    for (const name of definitions.keys()) {
      await boss.createQueue(name, settings);
      await boss.updateQueue(name, settings); // one that an earlier release made
    }
  }
  const open = () => {
    opening ??= openQueues().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  /** Begins one worker; it goes on for as long as it finds a job, and is told when the next one comes. */
  async function begin(name: string, run: Run<object>): Promise<void> {
    const pollingIntervalSeconds = Math.max(pollSeconds, POLL_SECONDS_MIN);
    const notifyPollingIntervalSeconds = TOLD_POLLS * pollingIntervalSeconds;
    const worker: string = await boss.work<object>(
      name,
      { pollingIntervalSeconds, notifyPollingIntervalSeconds },
      async ([job]) => {
        if (!job) return;
        const isFinal = job.retryCount >= RETRIES_MAX;
        boss.notifyWorker(worker);
        await run(job.data, { signal: job.signal, isFinal, progress() {} }).catch((error: unknown) => {
          onFailure(name, error);
          if (isFinal) setTimeout(tend, pollSeconds * SECOND_MS).unref(); // once the queue knows
          // What pg-boss stores of it must not quote anything.
          throw Object.assign(new Error("failed"), { code: codeOf(error) ?? undefined, stack: "" });
        });
      },
    );
  }

  /** Takes over what was given up, and mends times; both do no harm twice. */
  const tend = () => void tendQueues().catch((error: unknown) => onFailure("queue", error));
  async function tendQueues(): Promise<void> {
    await store.mendTimes(database.db);
    await store.deleteOldDeadLetters(database.db, dayOf(clock.now() - KEEP_DEAD_DAYS * DAY_MS));
    for (const failed of await store.listFailed(database.db, [...definitions.keys()])) {
      await database.transaction(async (trx) => {
        if (!(await store.deleteFailed(trx, failed))) return; // another worker was first
        const { accountId, ...data } = failed.data;
        if (typeof accountId === "string" && !(await store.lockAccount(trx, accountId))) return; // it was erased
        await store.insertDeadLetter(trx, {
          id: createId("deadLetter"),
          job: failed.name,
          account_id: typeof accountId === "string" ? accountId : null,
          data: JSON.stringify(data),
          failed_on: dayOf(clock.now()),
          attempts: failed.retryCount + 1,
          code: failed.code,
        });
      });
    }
  }

  /** pg-boss tells a race at the first start by the error's message, which is taken out here. */
  async function startBoss(): Promise<void> {
    const client = await database.pool.connect();
    client.on("error", () => {}); // shows in the query that runs
    try {
      await client.query("set statement_timeout = 0");
      await client.query("select pg_advisory_lock($1)", [SCHEMA_LOCK_KEY]);
      isOpening = true;
      await boss.start();
      await applyGrants(client);
    } finally {
      isOpening = false;
      client.release(true); // the connection ends, and with it the lock
    }
  }

  return {
    async send(name: string, data: object, trx?: Kysely<Tables>): Promise<void> {
      await open();
      await boss.send(name, data, trx ? { db: fromKysely(trx) } : {});
    },
    /** How many are in the queue, by job. */
    async counts(): Promise<ReadonlyMap<string, store.QueueCounts>> {
      await open();
      return store.countQueued(database.db);
    },
    async start(): Promise<void> {
      await open();
      for (const [name, run] of definitions)
        for (let worker = 0; worker < WORKERS; worker++) await begin(name, run);
      await tendQueues();
      tending = setInterval(tend, TEND_EVERY_MS).unref();
    },
    async stop(): Promise<void> {
      clearInterval(tending);
      await boss.stop({ graceful: true, close: false });
    },
  };
}
