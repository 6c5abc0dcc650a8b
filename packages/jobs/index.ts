import type { Database, Tables } from "@securewave/database";
import type { Kysely } from "kysely";
import pLimit from "p-limit";
import { fromKysely, PgBoss } from "pg-boss";

const POLL_SECONDS = 2;
/** Of a kind of job that people's acts bring: many waiting ones then do not hold up the next for long. */
const WORKERS = 4;
/** The queue asks rarely and is never in a hurry; each connection of its own would cost the store 3 MB. */
const STATEMENTS_AT_ONCE = 2;
const RETRY_LIMIT = 8;
const RETRY_DELAY_SECONDS = 5;
/** Finished jobs tell who did what when, so they go soon. */
const KEEP_FINISHED_SECONDS = 60 * 60;
/** How often those that are due are deleted; by itself pg-boss does it once a day. */
const SWEEP_SECONDS = 10 * 60;

export interface JobOptions {
  /** Cron expression in UTC; the job then runs by itself, once per tick whatever the number of workers. */
  readonly cron?: string;
}

export interface JobsOptions {
  /** How often an idle worker looks for work; 0.5 at least. */
  readonly pollSeconds?: number;
}

/** Our key for the lock under which one process at a time brings the queue's tables up to date. */
const SCHEMA_LOCK_KEY = 5_381_264_902;

/** Work that survives a restart, on the database that everything else is on. */
export interface Jobs {
  /** Declares a job and what carries it out. Call before `start`. */
  define<Data extends object>(name: string, run: (data: Data) => Promise<void>, options?: JobOptions): void;
  /** Queues a job; with a transaction, it is queued exactly if that commits. */
  send(name: string, data: object, trx?: Kysely<Tables>): Promise<void>;
  start(): Promise<void>;
  /** Waits for running jobs. */
  stop(): Promise<void>;
}

/**
 * Jobs on pg-boss: retried with growing delay, each run by one worker.
 *
 * @param onFailure hears of every failed run
 */
export function createJobs(
  database: Database,
  onFailure: (name: string, error: unknown) => void,
  { pollSeconds = POLL_SECONDS }: JobsOptions = {},
): Jobs {
  const db = fromKysely(database.db);
  const lane = pLimit(STATEMENTS_AT_ONCE);
  const boss = new PgBoss({
    db: { executeSql: (text, values) => lane(() => db.executeSql(text, values)) },
    schema: "jobs",
    maintenanceIntervalSeconds: SWEEP_SECONDS,
  });
  boss.on("error", (error) => onFailure("queue", error));
  const definitions = new Map<string, { run: (data: object) => Promise<void>; options: JobOptions }>();

  let opening: Promise<void> | undefined;
  async function openQueues(): Promise<void> {
    await startBoss();
    for (const name of definitions.keys()) {
      await boss.createQueue(name, {
        retryLimit: RETRY_LIMIT,
        retryDelay: RETRY_DELAY_SECONDS,
        retryBackoff: true,
        deleteAfterSeconds: KEEP_FINISHED_SECONDS,
      });
    }
  }
  const open = () => {
    opening ??= openQueues().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  async function begin(
    name: string,
    run: (data: object) => Promise<void>,
    { cron }: JobOptions,
  ): Promise<void> {
    await boss.work<object>(
      name,
      { pollingIntervalSeconds: pollSeconds, localConcurrency: cron === undefined ? WORKERS : 1 },
      async ([job]) => {
        if (!job) return;
        await run(job.data).catch((error: unknown) => {
          onFailure(name, error);
          throw new Error("failed"); // what pg-boss stores of it must not quote anything
        });
      },
    );
    if (cron !== undefined) await boss.schedule(name, cron, {}, { tz: "UTC" });
  }

  /** pg-boss tells a race at the first start by the error's message, which is taken out here. */
  async function startBoss(): Promise<void> {
    const client = await database.pool.connect();
    client.on("error", () => {}); // shows in the query that runs
    try {
      await client.query("set statement_timeout = 0");
      await client.query("select pg_advisory_lock($1)", [SCHEMA_LOCK_KEY]);
      await boss.start();
    } finally {
      client.release(true); // the connection ends, and with it the lock
    }
  }

  return {
    define(name, run, options = {}) {
      // The data come back from the queue as `send` put them in; both stand in the same module.
      definitions.set(name, { run: run as (data: object) => Promise<void>, options });
    },
    async send(name, data, trx) {
      await open();
      await boss.send(name, data, trx ? { db: fromKysely(trx) } : {});
    },
    async start() {
      await open();
      for (const [name, { run, options }] of definitions) await begin(name, run, options);
    },
    stop: () => boss.stop({ graceful: true, close: false }),
  };
}
