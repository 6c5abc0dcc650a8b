import type { DeadLetter as DeadLetterOut, Job, JobRun } from "@securewave/contracts";
import { jobErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, SECOND_MS } from "@securewave/foundation";
import type { DeadLetter, Jobs, JobView, RunView } from "@securewave/jobs";
import { floorOf } from "@securewave/live";
import { purposeOfJob } from "@securewave/privacy";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Telemetry } from "../../http/telemetry.ts";
import type { Audit } from "../audit/index.ts";

const NO_JOB = "This release has no such job, so that nobody would do it. Discard the letter.";

export interface JobDeskOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly jobs: Jobs;
  readonly audit: Pick<Audit, "record">;
  readonly telemetry: Pick<Telemetry, "gauge" | "gauges">;
}

export type JobDesk = ReturnType<typeof createJobDesk>;

/** What staff see of the jobs, and do with them; and what metrics tell. */
export function createJobDesk({ database, clock, jobs, audit, telemetry }: JobDeskOptions) {
  async function find(name: string): Promise<JobView> {
    const found = (await jobs.list()).find((job) => job.name === name);
    if (found === undefined) throw jobErrors.notFound();
    return found;
  }

  telemetry.gauges(
    "securewave_jobs_last_success_age_seconds",
    "How long ago a job of the clock last succeeded",
    "job",
    async () => {
      const succeeded = (await jobs.list()).flatMap(({ name, succeededAt }) =>
        succeededAt === null ? [] : [[name, (clock.now() - succeededAt.getTime()) / SECOND_MS] as const],
      );
      return new Map(succeeded);
    },
  );
  telemetry.gauge("securewave_jobs_dead_letters", "Letters that were given up", async () =>
    (await jobs.list()).reduce((sum, { dead }) => sum + dead, 0),
  );

  return {
    list: async (): Promise<Job[]> => (await jobs.list()).map(viewOf),

    /** @throws jobs.not_found */
    async get(name: string): Promise<Job & { runs: JobRun[] }> {
      const job = await find(name);
      return { ...viewOf(job), runs: (await jobs.history(name)).map(viewOfRun) };
    },

    /** @throws jobs.not_found, jobs.already_running, jobs.runs_by_itself */
    async run(name: string, actor: string): Promise<Job> {
      const { kind } = await find(name);
      if (kind === "queued") throw jobErrors.runsByItself();
      await database.transaction(async (trx) => {
        if ((await jobs.runNow(name, trx)) !== "asked") throw jobErrors.alreadyRunning();
        await audit.record(trx, { kind: "job_started", actor, subject: name });
      });
      return viewOf(await find(name));
    },

    async deadLetters(page: PageRequest) {
      const bounds = boundsOf(page, ["text"]);
      const [after] = bounds.after ?? [];
      return pageOf(await jobs.deadLetters(after, bounds.rows), bounds, ({ id }) => [id], viewOfLetter);
    },

    /** @throws jobs.letter_not_found, and jobs.not_found of one that a former release left */
    retry: (id: string, actor: string) =>
      database.transaction(async (trx) => {
        const { job, isQueued } = (await jobs.retryDeadLetter(trx, id)) ?? {};
        if (job === undefined) throw jobErrors.letterNotFound();
        if (!isQueued) throw jobErrors.notFound({ detail: NO_JOB });
        await audit.record(trx, { kind: "dead_letter_retried", actor, subject: id, details: { job } });
      }),

    /** @throws jobs.letter_not_found */
    discard: (id: string, actor: string) =>
      database.transaction(async (trx) => {
        const job = await jobs.discardDeadLetter(trx, id);
        if (job === undefined) throw jobErrors.letterNotFound();
        await audit.record(trx, { kind: "dead_letter_discarded", actor, subject: id, details: { job } });
      }),
  };
}

function viewOf({
  name,
  kind,
  cron,
  state,
  progress,
  lastRun,
  waiting,
  retrying,
  dead,
  ...job
}: JobView): Job {
  return {
    name,
    what: purposeOfJob(name) ?? name,
    kind,
    schedule: cron,
    state,
    progress: progress && { ...progress },
    last_run: lastRun && viewOfRun(lastRun),
    succeeded_at: job.succeededAt?.toISOString() ?? null,
    next_at: job.nextAt?.toISOString() ?? null,
    is_overdue: job.isOverdue,
    waiting: floorOf(waiting),
    retrying,
    dead,
  };
}

function viewOfRun({ startedAt, cause, attempt, result, code, durationMs }: RunView): JobRun {
  return { started_at: startedAt.toISOString(), cause, attempt, result, code, duration_ms: durationMs };
}

function viewOfLetter({ id, job, accountId, failedOn, attempts, code }: DeadLetter): DeadLetterOut {
  return { id, job, account_id: accountId, failed_on: failedOn, attempts, code };
}
