import { setTimeout as sleep } from "node:timers/promises";
import { invariant } from "@securewave/foundation";
import {
  type DatabaseConnection,
  Kysely,
  type LogEvent,
  PostgresDialect,
  sql,
  type Transaction,
} from "kysely";
import pg from "pg";
import { type CredentialsSource, createDrain, urlWith } from "./credentials.ts";
import { describeDatabaseError, isRetryable, withoutValues } from "./database-errors.ts";
import { quieten } from "./demands.ts";
import { type EmbeddedPostgres, openEmbeddedPostgres } from "./embedded.ts";
import { storeErrors } from "./errors.ts";
import { createListener, type ListenHandlers } from "./listener.ts";
import { giveUpAfter } from "./patience.ts";
import { asLogin, type Logins, openPools } from "./pools.ts";
import { describeQuery, type QueryReport } from "./query-report.ts";
import { createRoles } from "./roles/apply.ts";
import type { Login } from "./roles/roles.ts";
import { createSlowStatements, type SlowStatements } from "./slow-statements.ts";
import type { Tables } from "./tables.ts";
import { createTypes } from "./value-types.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_GRACE_MS = 5_000;
const SLOW_MS = 200;
/** A transaction that is left open holds back cleaning and keeps its locks. */
const IDLE_TRANSACTION_MS = 60_000;
const TRANSACTION_ATTEMPTS = 5;
const TRANSACTION_RETRY_MS = 10;
const VERSION_MIN = 15;

export interface DatabaseOptions {
  /** A PostgreSQL 15 or later, as `postgresql://…`; undefined for the embedded store. */
  readonly url?: string | undefined;
  /** The folder of the embedded store, when there is no url. */
  readonly dir?: string | undefined;
  /** A login that changes, in place of the one in the url. */
  readonly credentials?: CredentialsSource | undefined;
  /** Logins with fewer rights than the owner's; what has none of its own is done under the owner's. */
  readonly logins?: Logins | undefined;
  readonly poolMax: number;
  readonly statementTimeoutMs: number;
  /** After so long without an answer a connection is given up; absent means five seconds more than for a statement. */
  readonly answerTimeoutMs?: number;
  /** From how many milliseconds on a statement is slow. */
  readonly slowMs?: number;
  /** Gets what metrics need of each query: no text and no values. */
  readonly onQuery?: (report: QueryReport) => void;
  /** Gets the embedded PostgreSQL's log lines. */
  readonly onLog?: (line: string) => void;
}

export interface Database {
  /** Asks under the login of `as`, or of requests. Errors of its statements hold no values: see `describeDatabaseError`. */
  readonly db: Kysely<Tables>;
  /** The owner's, for what changes the schema. Errors of its statements quote values: never log them as they are. */
  readonly pool: pg.Pool;
  /** Which statements of `db` took long since the start. */
  readonly slow: SlowStatements;
  /** One of each login that is used, the owner's first. */
  readonly pools: readonly pg.Pool[];
  readonly kind: "embedded" | "postgres";
  /**
   * Does work, and what it awaits or brings about later, under another login. A transaction that has begun keeps the
   * login that it began with.
   */
  as<Result>(login: Login, work: () => Result): Result;
  /** The server's processes, when it is ours. */
  processIds(): number[];
  /**
   * Asks the server for a sign of life.
   *
   * @returns milliseconds
   * @throws store.unreachable
   */
  ping(): Promise<number>;
  stats(): {
    open: number;
    idle: number;
    waiting: number;
    /** Of the pool that requests are answered with. */
    requests: { busy: number; max: number };
  };
  /**
   * Runs work in a transaction, and runs it again when PostgreSQL gave it up for another's sake: work
   * changes nothing but the database.
   */
  transaction<Result>(
    work: (trx: Transaction<Tables>) => Promise<Result>,
    options?: TransactionOptions,
  ): Promise<Result>;
  /** @returns a function that ends the listening */
  listen(channel: string, handlers: ListenHandlers): Promise<() => void>;
  close(): Promise<void>;
}

export interface TransactionOptions {
  readonly isolation?: "read committed" | "repeatable read" | "serializable";
}

/**
 * Opens the database: an outside one by its url, or the embedded store in a folder.
 *
 * @throws store.unreachable, store.wrong_version, and what `openEmbeddedPostgres` throws
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { url, dir, credentials } = options;
  invariant((url === undefined) !== (dir === undefined), "a database is opened by its url or by its folder");
  if (dir === undefined) {
    const urlOfNow = () => (credentials && url ? urlWith(url, credentials.current()) : url);
    return connectDatabase(() => ({ connectionString: urlOfNow() }), options, undefined);
  }
  invariant(credentials === undefined, "the embedded store has no login that changes");
  const { onLog } = options;
  const embedded = await openEmbeddedPostgres({ dir, ...(onLog === undefined ? {} : { onLog }) });
  return connectDatabase(() => embedded.connection, options, embedded);
}

async function connectDatabase(
  connection: () => pg.ClientConfig,
  {
    poolMax,
    statementTimeoutMs,
    answerTimeoutMs,
    onQuery,
    credentials,
    logins,
    slowMs = SLOW_MS,
  }: DatabaseOptions,
  embedded: EmbeddedPostgres | undefined,
): Promise<Database> {
  // A `Date` given as a parameter is written in UTC; `pg` has no other switch for it.
  pg.defaults.parseInputDatesAsUTC = true;
  const common = { types: createTypes(), keepAlive: true };
  const pools = openPools(
    {
      ...connection(),
      ...common,
      application_name: "securewave",
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
      onConnect: quieten, // awaited before the first query
    },
    poolMax,
    logins,
  );
  const pool = pools.owner;
  // Whose statements may take any time waits for any time.
  const answerMs = answerTimeoutMs ?? (statementTimeoutMs && statementTimeoutMs + ANSWER_GRACE_MS);
  if (answerMs > 0)
    for (const each of pools.all) each.on("connect", (client) => giveUpAfter(client, answerMs));
  const slow = createSlowStatements(slowMs);

  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({
      pool: { connect: () => pools.present().connect(), end: pools.end, options: pool.options },
      onCreateConnection: keepValuesOutOfErrors,
    }),
    log(event: LogEvent) {
      slow.note(event.query.sql, event.queryDurationMillis);
      onQuery?.(describeQuery(event));
    },
  });
  const listener = createListener(() => ({
    ...connection(),
    ...logins?.api,
    ...common,
    application_name: "securewave listen",
  }));
  if (credentials) {
    const drain = createDrain(pool, () => credentials.current().user, CONNECT_TIMEOUT_MS);
    credentials.onChange(async () => {
      Object.assign(pool.options, connection()); // read anew for each connection
      await Promise.all([drain(), listener.move()]);
    });
  }
  const database: Database = {
    db,
    pool,
    slow,
    pools: pools.all,
    as: asLogin,
    kind: embedded === undefined ? "postgres" : "embedded",
    processIds: () => embedded?.processIds() ?? [],
    async ping() {
      const startMs = performance.now();
      await pools
        .present()
        .query("select 1")
        .catch((error) => {
          throw storeErrors.unreachable({ internal: describeDatabaseError(error) });
        });
      return performance.now() - startMs;
    },
    stats: pools.stats,
    transaction: (work, transactionOptions) => runTransaction(db, work, transactionOptions),
    listen: (channel, handlers) => listener.listen(channel, handlers),
    async close() {
      await listener.close();
      // Queries that run are awaited; the pool takes no further ones.
      await pools.end();
      await embedded?.close();
    },
  };
  try {
    await demandVersion(pool);
    if (embedded !== undefined && logins !== undefined) await createRoles(pool);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/**
 * Sends a message to all that listen on a channel; inside a transaction it leaves with the commit.
 *
 * @param payload less than 8,000 bytes
 */
export async function notify(db: Kysely<Tables>, channel: string, payload = ""): Promise<void> {
  await sql`select pg_notify(${channel}, ${payload})`.execute(db);
}

async function runTransaction<Result>(
  db: Kysely<Tables>,
  work: (trx: Transaction<Tables>) => Promise<Result>,
  { isolation = "read committed" }: TransactionOptions = {},
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().setIsolationLevel(isolation).execute(work);
    } catch (error) {
      if (attempt === TRANSACTION_ATTEMPTS || !isRetryable(error)) throw error;
      await sleep(TRANSACTION_RETRY_MS * 2 ** attempt * Math.random());
    }
  }
}

async function keepValuesOutOfErrors(connection: DatabaseConnection): Promise<void> {
  const execute = connection.executeQuery.bind(connection);
  connection.executeQuery = async (query, options) => {
    try {
      return await execute(query, options);
    } catch (error) {
      throw withoutValues(error);
    }
  };
}

async function demandVersion(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query("show server_version_num").catch((error) => {
    throw storeErrors.unreachable({ internal: describeDatabaseError(error) });
  });
  const major = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
  if (major >= VERSION_MIN) return;
  throw storeErrors.wrongVersion({
    detail: `The database runs PostgreSQL ${major}; SecureWave needs ${VERSION_MIN} or later.`,
  });
}
