import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";

/** What somebody who writes does, again and again. */
export interface Writer {
  /**
   * Writes one row under a name that no other has.
   *
   * @returns the name once it is acknowledged
   * @throws when it is not, whatever became of it
   */
  write(): Promise<string>;
  /** All names that are there, of all writers of its kind. */
  read(): Promise<ReadonlySet<string>>;
  close(): Promise<void>;
}

/** The book that is kept outside of all that was ever acknowledged. */
export interface Ledger {
  /** The fault comes now. */
  mark(): void;
  /** Resolves when something was acknowledged that was begun later than this call. */
  answersAgain(timeoutMs?: number): Promise<void>;
  /** Ends the writing. */
  stop(): Promise<void>;
  /** Looks for all that was acknowledged. */
  settle(): Promise<LedgerResult>;
}

export interface LedgerResult {
  readonly acknowledged: number;
  readonly refused: number;
  /** Acknowledged, and not there. */
  readonly lost: number;
  /** From the mark on, the longest time in which nothing was acknowledged. */
  readonly downSeconds: number;
}

export interface LedgerOptions {
  /** Rests between two writes. */
  readonly pauseMs?: number;
  readonly onRefusal?: (error: unknown) => void;
}

const AFTER_REFUSAL_MS = 50;
const ANSWERS_MS = 90_000;

/** Lets writers write until they are stopped, each one row after the other. */
export function openLedger(
  writers: readonly Writer[],
  { pauseMs = 0, onRefusal }: LedgerOptions = {},
): Ledger {
  const acknowledged: string[] = [];
  let refused = 0;
  let markedMs: number | undefined;
  let lastMs = performance.now();
  let longestMs = 0;
  let lastBegunMs = 0;
  let isOver = false;

  /** Only from the mark on does a pause count. */
  function count(nowMs: number): void {
    if (markedMs !== undefined) longestMs = Math.max(longestMs, nowMs - Math.max(lastMs, markedMs));
    lastMs = nowMs;
  }

  async function run(writer: Writer): Promise<void> {
    while (!isOver) {
      const begunMs = performance.now();
      try {
        acknowledged.push(await writer.write());
        count(performance.now());
        lastBegunMs = Math.max(lastBegunMs, begunMs);
        if (pauseMs > 0) await pause(pauseMs);
      } catch (error) {
        refused++;
        onRefusal?.(error);
        await pause(AFTER_REFUSAL_MS);
      }
    }
  }
  const running = Promise.all(writers.map(run));

  return {
    mark() {
      markedMs = performance.now();
    },
    async answersAgain(timeoutMs = ANSWERS_MS) {
      const sinceMs = performance.now();
      while (lastBegunMs < sinceMs) {
        if (performance.now() > sinceMs + timeoutMs) throw new Error("nothing was acknowledged any more");
        await pause(20);
      }
    },
    async stop() {
      isOver = true;
      await running;
    },
    async settle() {
      const there = await writers[0]?.read();
      return {
        acknowledged: acknowledged.length,
        refused,
        lost: acknowledged.filter((name) => !there?.has(name)).length,
        downSeconds: longestMs / 1000,
      };
    },
  };
}

const CONNECT_MS = 2000;
/** A commit that waits for a standby is given up after this, and counts as refused. */
const ANSWER_MS = 5000;

/** Makes so many writers that write to a table of their own with plain SQL, each on a connection of its own. */
export async function openSqlWriters(url: string, run: string, count: number): Promise<Writer[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("create table if not exists ledger (name text primary key)");
  await client.end();
  return Array.from({ length: count }, (_, at) => createSqlWriter(url, `${run}-${at}`));
}

function createSqlWriter(url: string, name: string): Writer {
  let client: pg.Client | undefined;
  let written = 0;

  async function connected(): Promise<pg.Client> {
    if (client !== undefined) return client;
    const fresh = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: ANSWER_MS,
    });
    fresh.on("error", () => undefined); // the query says it too
    await fresh.connect();
    client = fresh;
    return fresh;
  }
  async function ask(text: string, values: unknown[] = []) {
    try {
      return await (await connected()).query(text, values);
    } catch (error) {
      const lost = client;
      client = undefined;
      lost?.end().catch(() => undefined); // who is silent would not answer to a farewell either
      throw error;
    }
  }

  return {
    async write() {
      const row = `${name}-${++written}`; // one that was refused may be there: its name is used up
      await ask("insert into ledger (name) values ($1)", [row]);
      return row;
    },
    async read() {
      const { rows } = await ask("select name from ledger");
      return new Set(rows.map((row: { name: string }) => row.name));
    },
    async close() {
      await client?.end();
    },
  };
}
