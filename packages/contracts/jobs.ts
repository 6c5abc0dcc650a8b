import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import { Day, Id, IdParams, Nothing, Nullable, OneOf, pagesOf, Strict } from "./schemas.ts";

export const jobErrors = defineErrors("jobs", {
  notFound: { status: 404, message: "There is no such job. List the jobs to see their names." },
  alreadyRunning: { status: 409, message: "This job runs, or is about to. Look at it again in a moment." },
  runsByItself: {
    status: 409,
    message:
      "This job is queued by what people do, with what it is to be done for. It cannot be run by hand.",
  },
  letterNotFound: {
    status: 404,
    message: "There is no such dead letter; it may have been retried or discarded.",
  },
});

export const JobName = Type.String({
  pattern: "^[a-z0-9]+(?:-[a-z0-9]+)*$",
  maxLength: 60,
  description: "Such as `clean-up`",
});
const Instant = Type.String({ format: "date-time" });
const Count = Type.Integer({ minimum: 0 });

export const JobRun = Strict({
  started_at: Instant,
  cause: OneOf(["clock", "staff"]),
  attempt: Type.Integer({ minimum: 1 }),
  result: OneOf(["running", "succeeded", "failed", "interrupted"]),
  code: Nullable(
    Type.String({ description: "Of a refusal or of the system: `mail.refused`, `ECONNREFUSED`" }),
  ),
  duration_ms: Nullable(Count),
});
export type JobRun = Static<typeof JobRun>;

export const Job = Strict({
  name: JobName,
  what: Type.String({ description: "What it does" }),
  kind: OneOf(["clocked", "single", "queued"]),
  schedule: Nullable(Type.String({ description: "Cron expression in UTC" })),
  state: OneOf(["idle", "waiting", "retrying", "running"]),
  progress: Nullable(Strict({ done: Count, total: Count, what: Nullable(Type.String()) })),
  last_run: Nullable(JobRun),
  succeeded_at: Nullable(Instant),
  next_at: Nullable(Instant),
  is_overdue: Type.Boolean({ description: "It should have succeeded by now, and has not" }),
  waiting: Type.Integer({
    minimum: 0,
    description: "How many are in the queue, rounded down to a range's lower end",
  }),
  retrying: Type.Integer({ minimum: 0, description: "How many of them have failed before" }),
  dead: Type.Integer({ minimum: 0, description: "How many were given up" }),
});
export type Job = Static<typeof Job>;

/** What was given up after its last attempt. */
export const DeadLetter = Strict({
  id: Id("deadLetter"),
  job: JobName,
  account_id: Nullable(Id("account")),
  failed_on: Day,
  attempts: Type.Integer({ minimum: 1 }),
  code: Nullable(Type.String()),
});
export type DeadLetter = Static<typeof DeadLetter>;

const NameParams = Strict({ name: JobName });

export const jobs = {
  list: defineRoute({
    method: "GET",
    path: "/api/jobs",
    access: "admin",
    scope: "fleet:read",
    tag: "jobs",
    summary: "Lists the jobs, each with its last run and its next",
    success: { status: 200, schema: Strict({ items: Type.Array(Job) }) },
    errors: [],
  }),
  get: defineRoute({
    method: "GET",
    path: "/api/jobs/{name}",
    access: "admin",
    scope: "fleet:read",
    tag: "jobs",
    summary: "Shows a job with its last 50 runs, the newest first",
    params: NameParams,
    success: { status: 200, schema: Strict({ ...Job.properties, runs: Type.Array(JobRun) }) },
    errors: [jobErrors.notFound],
  }),
  run: defineRoute({
    method: "POST",
    path: "/api/jobs/{name}/run",
    access: "admin",
    scope: "fleet:write",
    tag: "jobs",
    summary: "Has a job of the clock run as soon as a worker is free",
    params: NameParams,
    success: { status: 202, schema: Job },
    errors: [jobErrors.notFound, jobErrors.alreadyRunning, jobErrors.runsByItself],
  }),
};

export const deadLetters = {
  list: defineRoute({
    method: "GET",
    path: "/api/dead-letters",
    access: "admin",
    scope: "fleet:read",
    tag: "jobs",
    summary: "Lists what the queue has given up",
    ...pagesOf(DeadLetter, {}),
    errors: [],
  }),
  retry: defineRoute({
    method: "POST",
    path: "/api/dead-letters/{id}/retry",
    access: "admin",
    scope: "fleet:write",
    tag: "jobs",
    summary: "Queues a dead letter again, as it was",
    params: IdParams("deadLetter"),
    success: { status: 204, schema: Nothing },
    errors: [jobErrors.letterNotFound, jobErrors.notFound],
  }),
  discard: defineRoute({
    method: "DELETE",
    path: "/api/dead-letters/{id}",
    access: "admin",
    scope: "fleet:write",
    tag: "jobs",
    summary: "Throws a dead letter away",
    params: IdParams("deadLetter"),
    success: { status: 204, schema: Nothing },
    errors: [jobErrors.letterNotFound],
  }),
};
