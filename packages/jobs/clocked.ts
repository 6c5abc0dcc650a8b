import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "@securewave/database";
import { type Clock, SECOND_MS } from "@securewave/foundation";
import * as store from "./clocked-store.ts";
import {
  codeOf,
  type JobContext,
  RETRIES_MAX,
  RETRY_SECONDS_MAX,
  type Run,
  retryDelaySeconds,
} from "./job.ts";
import { keepAlive, watchHolders } from "./lease.ts";
import { agreedTime, judge, mayRetry } from "./schedule.ts";

export interface Clocked {
  readonly run: Run<object>;
  /** Undefined of those that are only asked for. */
  readonly cron: string | undefined;
}

export interface ClockedOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly pollMs: number;
  readonly leaseMs: number;
  readonly definitions: ReadonlyMap<string, Clocked>;
  /** Hears of every failed attempt, and under `queue` that the database could not be asked. */
  readonly onFailure: (name: string, error: unknown) => void;
}

/** Progress is written no more often. */
const PROGRESS_EVERY_MS = SECOND_MS;
/** What does not heed its signal is left behind then; its lease runs out. */
const STOP_MS = 30 * SECOND_MS;

/** Why the signal of a run aborts. */
class Interruption extends Error {
  override readonly name = "Interruption";
}

/**
 * Runs jobs that have a time, or are asked for without data: each at most once at a time in the whole service. Who runs
 * one holds a lease in its row.
 */
export function runClocked({ database, clock, pollMs, leaseMs, definitions, onFailure }: ClockedOptions) {
  const { db } = database;
  const names = [...definitions.keys()];
  const holders = watchHolders(leaseMs);
  const running = new Map<string, { readonly abort: AbortController; readonly over: Promise<void> }>();
  const stopping = new AbortController();
  let isFailing = false;

  async function pass(): Promise<void> {
    const { states, databaseMs } = await store.readStates(db, names);
    const now = wholeSecond(agreedTime(clock.now(), Date.now(), databaseMs ?? Date.now()));
    const known = new Set(states.map(({ name }) => name));
    await store.insertStates(
      db,
      names.filter((name) => !known.has(name)),
      now,
    );
    for (const found of states) {
      const state = await schedule(found, now);
      if (state !== undefined && !stopping.signal.aborted) await attempt(state, now);
    }
  }

  /** @returns the job's state, or undefined where another worker is quicker */
  async function schedule(state: store.StateRow, now: Date): Promise<store.StateRow | undefined> {
    const cron = definitions.get(state.name)?.cron;
    if (cron === undefined) return state;
    const verdict = judge(cron, state.scheduled_at.getTime(), now.getTime());
    if (verdict === "run") return store.strike(db, state, now);
    if (verdict === "reckon") await store.reckon(db, state.name, now);
    return state;
  }

  async function attempt(state: store.StateRow, now: Date): Promise<void> {
    const { name, requests, requests_done, retry_at, holder } = state;
    if (requests === requests_done || running.has(name)) return;
    if (holder !== null && !holders.isDead(state)) return;
    if (!mayRetry(retry_at?.getTime(), now.getTime(), RETRY_SECONDS_MAX * SECOND_MS)) return;
    const own = randomBytes(9).toString("base64url");
    const taken = await database.transaction((trx) => store.take(trx, state, own, now));
    if (taken !== undefined) begin(taken, own, now);
  }

  function begin(taken: store.StateRow, holder: string, now: Date): void {
    const abort = new AbortController();
    const over = carryOut(taken, holder, now, abort)
      .catch((error: unknown) => onFailure("queue", error)) // its lease runs out, and another does it
      .finally(() => running.delete(taken.name));
    running.set(taken.name, { abort, over });
  }

  async function carryOut(
    taken: store.StateRow,
    holder: string,
    startedAt: Date,
    abort: AbortController,
  ): Promise<void> {
    const { name, attempts } = taken;
    const run = definitions.get(name)?.run;
    if (run === undefined) return;
    const interrupt = () => abort.abort(new Interruption("another worker may have taken over"));
    const release = keepAlive(leaseMs, () => store.beat(db, name, holder), interrupt);
    const startedMs = performance.now();
    const isFinal = attempts >= RETRIES_MAX;
    try {
      const result =
        attempts > RETRIES_MAX // whoever tried last ended with it
          ? ({ result: "failed", code: "interrupted" } as const)
          : await outcomeOf(name, run, contextOf(name, holder, abort.signal, isFinal));
      const settlement = settlementOf(taken, result, startedAt, Math.round(performance.now() - startedMs));
      await database.transaction((trx) => store.settle(trx, name, holder, settlement));
    } finally {
      release();
    }
  }

  type Outcome = Pick<store.Settlement, "result" | "code">;

  async function outcomeOf(name: string, run: Run<object>, context: JobContext): Promise<Outcome> {
    try {
      await run({}, context);
      return { result: "succeeded", code: null };
    } catch (error) {
      if (context.signal.aborted) return { result: "interrupted", code: null };
      onFailure(name, error);
      return { result: "failed", code: codeOf(error) };
    }
  }

  function settlementOf(
    { requests, attempts, cause }: store.StateRow,
    { result, code }: Outcome,
    startedAt: Date,
    durationMs: number,
  ): store.Settlement {
    // By the time that all agree on, and by no clock that was set meanwhile.
    const now = wholeSecond(startedAt.getTime() + durationMs);
    const common = { result, code, cause, durationMs, retryAt: null, succeededAt: undefined };
    if (result === "interrupted") return { ...common, requestsDone: undefined, attempts };
    if (result === "succeeded") {
      const succeededAt = cause === "act" ? undefined : now;
      return { ...common, requestsDone: requests, attempts: 0, succeededAt };
    }
    if (attempts >= RETRIES_MAX) return { ...common, requestsDone: requests, attempts: 0 };
    const retryAt = new Date(now.getTime() + retryDelaySeconds(attempts + 1) * SECOND_MS);
    return { ...common, requestsDone: undefined, attempts: attempts + 1, retryAt };
  }

  function contextOf(name: string, holder: string, signal: AbortSignal, isFinal: boolean): JobContext {
    let toldMs = Number.NEGATIVE_INFINITY;
    return {
      signal,
      isFinal,
      progress(done, total, what) {
        const nowMs = performance.now();
        if (nowMs - toldMs < PROGRESS_EVERY_MS && done < total) return;
        toldMs = nowMs;
        void store.setProgress(db, name, holder, { done, total, what }).catch(() => {}); // it is only shown
      },
    };
  }

  async function go(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await pass();
        isFailing = false;
      } catch (error) {
        if (!isFailing) onFailure("queue", error); // once, however long it lasts
        isFailing = true;
      }
      await sleep(pollMs, undefined, { ref: false, signal: stopping.signal }).catch(() => {});
    }
  }

  let going: Promise<void> | undefined;
  return {
    start() {
      if (names.length > 0) going ??= go();
    },
    async stop() {
      stopping.abort();
      for (const { abort } of running.values()) abort.abort(new Interruption("the service stops"));
      await going;
      const all = Promise.all([...running.values()].map(({ over }) => over));
      await Promise.race([all, sleep(STOP_MS, undefined, { ref: false })]);
    },
  };
}

/** Rounded down: a time rounded up could step over a tick. */
export function wholeSecond(instantMs: number): Date {
  return new Date(Math.floor(instantMs / SECOND_MS) * SECOND_MS);
}
