import type { Database } from "@securewave/database";
import { SECOND_MS, systemClock } from "@securewave/foundation";
import { type Clocked, runClocked, wholeSecond } from "./clocked.ts";
import * as clockedStore from "./clocked-store.ts";
import type { JobOptions, Jobs, JobsOptions, JobView, Run, RunView } from "./job.ts";
import { runQueued } from "./queued.ts";
import * as queuedStore from "./queued-store.ts";
import { isOverdue, nextAfter } from "./schedule.ts";

export type { DeadLetter, JobContext, JobOptions, Jobs, JobsOptions, JobView, Run, RunView } from "./job.ts";

const POLL_SECONDS = 2;
const LEASE_SECONDS = 30;
const NONE: queuedStore.QueueCounts = { waiting: 0, retrying: 0 };

/**
 * Jobs of two kinds. Those of the clock, and single ones, have a row each: due by our own clock, leased by one worker
 * of the whole service at a time. Those that bring data are pg-boss's: each run by one worker. Both are retried with
 * growing delay.
 *
 * @param onFailure hears of every failed run
 */
export function createJobs(
  database: Database,
  onFailure: (name: string, error: unknown) => void,
  { pollSeconds = POLL_SECONDS, clock = systemClock, leaseSeconds = LEASE_SECONDS }: JobsOptions = {},
): Jobs {
  const { db } = database;
  const clocked = new Map<string, Clocked>();
  const queued = new Map<string, Run<object>>();
  const common = { database, clock, onFailure };
  const queue = runQueued({ ...common, pollSeconds, leaseSeconds, definitions: queued });
  let worker: ReturnType<typeof runClocked> | undefined;
  const now = () => wholeSecond(clock.now());

  return {
    define<Data extends object>(name: string, run: Run<Data>, { cron, isSingle = false }: JobOptions = {}) {
      // The data come back from the queue as `send` put them in; both stand in the same module.
      if (cron === undefined && !isSingle) queued.set(name, run as Run<object>);
      else clocked.set(name, { run: run as Run<object>, cron });
    },
    async send(name, data, trx) {
      if (clocked.has(name)) await clockedStore.request(trx ?? db, name, "act", now());
      else await queue.send(name, data, trx);
    },
    async runNow(name, within = db) {
      if (!clocked.has(name)) return "unknown";
      return (await clockedStore.requestByStaff(within, name, now())) ? "asked" : "running";
    },
    async list() {
      const [states, runs, counts, dead] = await Promise.all([
        clocked.size === 0 ? [] : clockedStore.listStates(db, [...clocked.keys()]),
        clockedStore.listLatestRuns(db),
        queue.counts(),
        queuedStore.countDeadLetters(db),
      ]);
      const stateOf = new Map(states.map((state) => [state.name, state]));
      const runOf = new Map(runs.map((run) => [run.name, run]));
      return [
        ...[...clocked].map(([name, { cron }]) =>
          viewClocked(name, cron, stateOf.get(name), runOf.get(name), clock.now()),
        ),
        ...[...queued.keys()].map((name) => viewQueued(name, counts.get(name) ?? NONE, dead.get(name) ?? 0)),
      ];
    },
    history: async (name) => (await clockedStore.listRuns(db, name)).map(viewRun),
    deadLetters: (after, limit) => queuedStore.listDeadLetters(db, after, limit),
    async retryDeadLetter(trx, id) {
      const letter = await queuedStore.takeDeadLetter(trx, id);
      if (letter === undefined) return undefined;
      const isQueued = queued.has(letter.job);
      if (isQueued) await queue.send(letter.job, letter.data, trx);
      return { job: letter.job, isQueued };
    },
    discardDeadLetter: async (trx, id) => (await queuedStore.takeDeadLetter(trx, id))?.job,
    start: () =>
      database.as("worker", async () => {
        await queue.start();
        worker ??= runClocked({
          ...common,
          pollMs: pollSeconds * SECOND_MS,
          leaseMs: leaseSeconds * SECOND_MS,
          definitions: clocked,
        });
        worker.start();
      }),
    async stop() {
      await worker?.stop();
      await queue.stop();
    },
  };
}

function viewClocked(
  name: string,
  cron: string | undefined,
  state: clockedStore.StateRow | undefined,
  run: clockedStore.RunRow | undefined,
  nowMs: number,
): JobView {
  const doing = doingOf(state);
  return {
    name,
    kind: cron === undefined ? "single" : "clocked",
    cron: cron ?? null,
    state: doing,
    progress: doing === "running" ? progressOf(state) : null,
    lastRun: run === undefined ? null : viewRun(run),
    succeededAt: state?.succeeded_at ?? null,
    nextAt: cron === undefined ? null : new Date(nextOf(cron, state, nowMs)),
    isOverdue: doing !== "running" && isBehind(cron, state, nowMs),
    ...NONE,
    dead: 0,
  };
}

function doingOf(state: clockedStore.StateRow | undefined): JobView["state"] {
  if (state === undefined || state.requests === state.requests_done) return "idle";
  if (state.holder !== null) return "running";
  return state.attempts > 0 ? "retrying" : "waiting";
}

function progressOf(state: clockedStore.StateRow | undefined): JobView["progress"] {
  if (!state || state.progress_total === null) return null;
  return { done: state.progress_done ?? 0, total: state.progress_total, what: state.progress_what };
}

function isBehind(
  cron: string | undefined,
  state: clockedStore.StateRow | undefined,
  nowMs: number,
): boolean {
  if (cron === undefined || state === undefined) return false;
  return isOverdue(cron, (state.succeeded_at ?? state.known_since).getTime(), nowMs);
}

/** The next attempt of what failed; else the next tick. */
function nextOf(cron: string, state: clockedStore.StateRow | undefined, nowMs: number): number {
  const tick = nextAfter(cron, state?.scheduled_at.getTime() ?? nowMs);
  return Math.min(tick, state?.retry_at?.getTime() ?? tick);
}

function viewRun({ started_at, cause, attempt, result, code, duration_ms }: clockedStore.RunRow): RunView {
  return { startedAt: started_at, cause, attempt, result, code, durationMs: duration_ms };
}

function viewQueued(name: string, { waiting, retrying }: queuedStore.QueueCounts, dead: number): JobView {
  return {
    name,
    kind: "queued",
    cron: null,
    state: waiting === 0 ? "idle" : waiting === retrying ? "retrying" : "waiting",
    progress: null,
    lastRun: null,
    succeededAt: null,
    nextAt: null,
    isOverdue: false,
    waiting,
    retrying,
    dead,
  };
}
