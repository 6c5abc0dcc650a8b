import type { Tables } from "@securewave/database";
import type { Clock } from "@securewave/foundation";
import type { Kysely } from "kysely";

/** What a run has beside its data. */
export interface JobContext {
  /** Aborts when the service stops, or when the run has lost its turn: who goes on then is not alone. */
  readonly signal: AbortSignal;
  /** Tells how far a job of the clock or of staff is; one that brings data of its own tells nobody. */
  progress(done: number, total: number, what?: string): void;
  /** Whether it is given up if this attempt fails. */
  readonly isFinal: boolean;
}

export type Run<Data extends object> = (data: Data, context: JobContext) => Promise<void>;

export interface JobOptions {
  /** Cron expression in UTC; the job then runs by itself, once per tick whatever the number of workers. */
  readonly cron?: string;
  /** Has no clock, but likewise no data and one run at a time; `runNow` and `send` ask for it. */
  readonly isSingle?: boolean;
}

export interface JobsOptions {
  /** How often an idle worker looks for work; for letters 0.5 at least. */
  readonly pollSeconds?: number;
  /** What jobs with a cron expression go by. */
  readonly clock?: Clock;
  /** How long a worker may be silent until another takes over what it was doing; letters wait for ten at least. */
  readonly leaseSeconds?: number;
}

/** Work that survives a restart, on the database that everything else is on. */
export interface Jobs {
  /** Declares a job and what carries it out. Call before `start`. */
  define<Data extends object>(name: string, run: Run<Data>, options?: JobOptions): void;
  /** Queues a job; with a transaction, it is queued exactly if that commits. Jobs of the clock take no data. */
  send(name: string, data: object, trx?: Kysely<Tables>): Promise<void>;
  /**
   * Has a job of the clock run as soon as a worker is free.
   *
   * @param within the transaction that it is asked for in
   */
  runNow(name: string, within?: Kysely<Tables>): Promise<"asked" | "running" | "unknown">;
  list(): Promise<JobView[]>;
  /** The last runs of a job of the clock, the newest first. */
  history(name: string): Promise<RunView[]>;
  /** What was given up, by its id. */
  deadLetters(after: string | undefined, limit: number): Promise<DeadLetter[]>;
  /** @returns the name of its job, and whether there is one of that name to do it; undefined where there is no such letter */
  retryDeadLetter(
    trx: Kysely<Tables>,
    id: string,
  ): Promise<{ readonly job: string; readonly isQueued: boolean } | undefined>;
  /** @returns the name of its job; undefined where there is no such letter */
  discardDeadLetter(trx: Kysely<Tables>, id: string): Promise<string | undefined>;
  start(): Promise<void>;
  /** Has running jobs end, and waits for them. */
  stop(): Promise<void>;
}

export interface RunView {
  readonly startedAt: Date;
  readonly cause: "clock" | "staff";
  /** From 1. */
  readonly attempt: number;
  readonly result: "running" | "succeeded" | "failed" | "interrupted";
  /** Of a refusal or of the system. */
  readonly code: string | null;
  readonly durationMs: number | null;
}

/** A job as staff see it. What people's acts bring tells how much waits, and nothing of when it was done. */
export interface JobView {
  readonly name: string;
  readonly kind: "clocked" | "single" | "queued";
  readonly cron: string | null;
  readonly state: "idle" | "waiting" | "retrying" | "running";
  readonly progress: { readonly done: number; readonly total: number; readonly what: string | null } | null;
  readonly lastRun: RunView | null;
  readonly succeededAt: Date | null;
  readonly nextAt: Date | null;
  /** It ought to have succeeded by this time, and has not. */
  readonly isOverdue: boolean;
  /** How many are in the queue, and how many of them have failed before. */
  readonly waiting: number;
  readonly retrying: number;
  readonly dead: number;
}

export interface DeadLetter {
  readonly id: string;
  readonly job: string;
  readonly accountId: string | null;
  readonly failedOn: string;
  readonly attempts: number;
  readonly code: string | null;
}

/** After the first. */
export const RETRIES_MAX = 8;
const RETRY_SECONDS = 5;
export const RETRY_SECONDS_MAX = 3600;

/** @param failures how often it has failed, from 1 */
export function retryDelaySeconds(failures: number): number {
  return Math.min(RETRY_SECONDS * 2 ** (failures - 1), RETRY_SECONDS_MAX);
}

const CODE = /^[A-Za-z][A-Za-z0-9_.]{1,59}$|^[0-9A-Z]{5}$/;

/** Of a refusal (`mail.refused`), the system (`ECONNREFUSED`) or PostgreSQL (`40001`): a word, never a text. */
export function codeOf(error: unknown): string | null {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && CODE.test(code) ? code : null;
}
