import { type Clock, MINUTE_MS, SECOND_MS } from "@securewave/foundation";
import { createExpiringMap } from "../rate-limit/index.ts";
import type { SharedStore } from "../redis/index.ts";
import { watchForAttack } from "./attack.ts";
import { begin, emptyRow, FORGOTTEN_AFTER_MS, fail, type Row, release, succeed, waitMsOf } from "./row.ts";
import { type Act, actInStore, type NamedRow } from "./shared-rows.ts";

export interface FailuresOptions {
  readonly clock: Clock;
  /** Where replicas count together, exactly; without it, each counts for itself. */
  readonly store?: SharedStore;
  /** More failures than this in a minute, wherever from, are an attack. Default 60. */
  readonly attackPerMinute?: number;
  /** How many tries of one subject may be under way at once: it bounds what guessing in parallel gains. Default 20. */
  readonly parallelMax?: number;
}

export interface LockState {
  /** Seconds until a try is let through; 0 when this one was. */
  readonly lockedSeconds: number;
}

/**
 * Failed log-ins by whom they were tried on and by where they came from. After five failures in a row a try has to
 * wait 1 s, then 2, 4 … up to 15 minutes; a success resets both, an hour without failures too.
 *
 * All return at once without a store, and else when it has answered, 50 ms at most.
 */
export interface Failures {
  /**
   * Lets a try through or not; one that is let through ends with `failed`, `succeeded` or `released`, and counts as
   * under way until then, 10 s at most.
   *
   * @param subject stands for the account that is tried, whether or not there is one: opaque, never a mail address
   * @param tag the day's pseudonym of the origin
   */
  check(subject: string, tag: string): LockState | Promise<LockState>;
  failed(subject: string, tag: string): void | Promise<void>;
  succeeded(subject: string, tag: string): void | Promise<void>;
  /** Ends a try that was neither: a right password whose second factor is still to come. */
  released(subject: string, tag: string): void | Promise<void>;
  /** Whether, in the last five minutes, more log-ins failed in one minute than ever do by themselves. */
  isUnderAttack(): boolean;
  close(): void;
}

const ROWS_MAX = 200_000;
const SWEEP_MS = 5 * MINUTE_MS;
const ATTACK_PER_MINUTE = 60;
const PARALLEL_MAX = 20;
/** Many people may stand behind one address. */
const PARALLEL_OF_TAG_MAX = 1_000_000;

export function createFailures(options: FailuresOptions): Failures {
  const { clock, store, parallelMax = PARALLEL_MAX } = options;
  const rows = createExpiringMap<Row>({ lifeMs: FORGOTTEN_AFTER_MS, entriesMax: ROWS_MAX });
  const attack = watchForAttack(clock, store, options.attackPerMinute ?? ATTACK_PER_MINUTE);
  const sweeping = setInterval(() => rows.sweep(clock.now()), SWEEP_MS);
  sweeping.unref();

  function rowOf(key: string): Row {
    const nowMs = clock.now();
    const known = rows.get(key, nowMs);
    if (known) return known;
    const made = emptyRow();
    rows.set(key, made, nowMs);
    return made;
  }

  function rowsOf(subject: string, tag: string): NamedRow[] {
    const nameOf = (key: string) => store?.nameOf("failures", key) ?? "";
    return [
      { key: `subject ${subject}`, parallelMax },
      { key: `tag ${tag}`, parallelMax: PARALLEL_OF_TAG_MAX },
    ].map(({ key, parallelMax: most }) => ({ name: nameOf(key), row: rowOf(key), parallelMax: most }));
  }

  /** @returns the wait in ms */
  function act(kind: Act, subject: string, tag: string): number | Promise<number> {
    const named = rowsOf(subject, tag);
    if (store?.state() !== "up") return actHere(kind, named, clock.now());
    return actInStore(store, kind, named).then((waitMs) => waitMs ?? actHere(kind, named, clock.now()));
  }

  const done = (waitMs: number | Promise<number>): void | Promise<void> =>
    typeof waitMs === "number" ? undefined : waitMs.then(() => undefined);

  return {
    check(subject, tag) {
      const waitMs = act("check", subject, tag);
      return typeof waitMs === "number" ? lockStateOf(waitMs) : waitMs.then(lockStateOf);
    },
    failed(subject, tag) {
      attack.failed();
      return done(act("failed", subject, tag));
    },
    succeeded: (subject, tag) => done(act("succeeded", subject, tag)),
    released: (subject, tag) => done(act("released", subject, tag)),
    isUnderAttack: attack.isUnderAttack,
    close() {
      clearInterval(sweeping);
      attack.close();
    },
  };
}

function actHere(kind: Act, rows: readonly NamedRow[], nowMs: number): number {
  if (kind === "failed") for (const { row } of rows) fail(row, nowMs);
  if (kind === "succeeded") for (const { row } of rows) succeed(row, nowMs);
  if (kind === "released") for (const { row } of rows) release(row);
  if (kind !== "check") return 0;
  const waitMs = Math.max(...rows.map(({ row, parallelMax }) => waitMsOf(row, parallelMax, nowMs)));
  if (waitMs === 0) for (const { row } of rows) begin(row, nowMs);
  return waitMs;
}

function lockStateOf(waitMs: number): LockState {
  return { lockedSeconds: Math.ceil(waitMs / SECOND_MS) };
}
