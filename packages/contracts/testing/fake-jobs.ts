import { createId } from "@securewave/foundation";
import { type DeadLetter, type Job, type JobRun, jobErrors } from "../jobs.ts";
import { type FakeCall, type Mutable, pageOf } from "./fake-call.ts";

const SUCCEEDED: JobRun = {
  started_at: "2026-11-20T03:17:02.000Z",
  cause: "clock",
  attempt: 1,
  result: "succeeded",
  code: null,
  duration_ms: 1_240,
};

export interface FakeJobs {
  readonly jobs: Mutable<Job>[];
  readonly runs: Map<string, JobRun[]>;
  readonly deadLetters: DeadLetter[];
  /** How often it is asked about a job that was started, before it is done. */
  askedTimes: number;
  /** What the next run comes to. */
  next: Pick<JobRun, "result" | "code">;
}

export function createFakeJobs(): FakeJobs {
  const failed: JobRun = {
    ...SUCCEEDED,
    attempt: 9,
    result: "failed",
    code: "ECONNREFUSED",
    duration_ms: 30_000,
  };
  return {
    jobs: [
      fakeJob("clean-up", { what: "deletes what has expired", last_run: SUCCEEDED }),
      fakeJob("back-up", {
        what: "backs up the database",
        schedule: "13 2 * * *",
        last_run: failed,
        is_overdue: true,
      }),
      fakeJob("account-mail", {
        what: "the letter after a registration",
        kind: "queued",
        schedule: null,
        next_at: null,
        succeeded_at: null,
        waiting: 10,
        retrying: 2,
        dead: 2,
      }),
    ],
    runs: new Map([
      ["clean-up", [SUCCEEDED]],
      ["back-up", [failed, SUCCEEDED]],
    ]),
    deadLetters: ["ECONNREFUSED", null].map((code) => ({
      id: createId("deadLetter"),
      job: "account-mail",
      account_id: createId("account"),
      failed_on: "2026-11-19",
      attempts: 9,
      code,
    })),
    askedTimes: 2,
    next: { result: "succeeded", code: null },
  };
}

function fakeJob(name: string, facts: Partial<Job>): Mutable<Job> {
  return {
    name,
    what: "does something",
    kind: "clocked",
    schedule: "17 3 * * *",
    state: "idle",
    progress: null,
    last_run: null,
    succeeded_at: "2026-11-20T03:17:03.000Z",
    next_at: "2026-11-21T03:17:00.000Z",
    is_overdue: false,
    waiting: 0,
    retrying: 0,
    dead: 0,
    ...facts,
  };
}

/** The routes of jobs, answered from memory. A job that is run is half done, until it was asked about some times. */
export function jobHandlers(state: FakeJobs) {
  const left = new Map<string, number>();

  function find({ params }: FakeCall): Mutable<Job> {
    const job = state.jobs.find(({ name }) => name === params.name);
    if (!job) throw jobErrors.notFound();
    return job;
  }

  function goOn(job: Mutable<Job>): void {
    const asked = left.get(job.name);
    if (asked === undefined) return;
    left.set(job.name, asked - 1);
    if (asked > 1) return;
    left.delete(job.name);
    const run: JobRun = {
      ...SUCCEEDED,
      ...state.next,
      cause: "staff",
      started_at: "2026-11-20T12:00:00.000Z",
    };
    state.runs.set(job.name, [run, ...(state.runs.get(job.name) ?? [])]);
    Object.assign(job, { state: "idle", progress: null, last_run: run, is_overdue: run.result === "failed" });
  }

  function takeLetter({ params }: FakeCall): null {
    const at = state.deadLetters.findIndex(({ id }) => id === params.id);
    const [letter] = at === -1 ? [] : state.deadLetters.splice(at, 1);
    if (!letter) throw jobErrors.letterNotFound();
    const job = state.jobs.find(({ name }) => name === letter.job);
    if (job) job.dead--;
    return null;
  }

  return {
    "jobs.list": () => {
      for (const job of state.jobs) goOn(job);
      return { items: state.jobs };
    },
    "jobs.get": (call: FakeCall) => {
      const job = find(call);
      goOn(job);
      return { ...job, runs: state.runs.get(job.name) ?? [] };
    },
    "jobs.run": (call: FakeCall) => {
      const job = find(call);
      if (job.kind === "queued") throw jobErrors.runsByItself();
      if (job.state !== "idle") throw jobErrors.alreadyRunning();
      left.set(job.name, state.askedTimes);
      return Object.assign(job, { state: "running", progress: { done: 1, total: 2, what: "tables" } });
    },
    "deadLetters.list": ({ query }: FakeCall) => pageOf(state.deadLetters, query),
    "deadLetters.retry": takeLetter,
    "deadLetters.discard": takeLetter,
  };
}
