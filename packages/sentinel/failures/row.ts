import { HOUR_MS, MINUTE_MS, SECOND_MS } from "@securewave/foundation";

/** What is known of the log-ins of one subject or origin. Instants are milliseconds since 1970. */
export interface Row {
  /** Failures in a row. */
  failures: number;
  lockedUntilMs: number;
  lastFailedMs: number;
  /** When a log-in last succeeded, and how often: failures before it do not count. */
  resetMs: number;
  resets: number;
  /** Tries that were let through and whose end is not known. */
  pending: number;
  pendingUntilMs: number;
}

/** People mistype; with this failure in a row the delays begin. */
export const FREE_FAILURES = 5;
export const FIRST_DELAY_MS = SECOND_MS;
export const LONGEST_DELAY_MS = 15 * MINUTE_MS;
export const FORGOTTEN_AFTER_MS = HOUR_MS;
/** A try of which nothing more was heard does not hold others up for longer. */
export const PENDING_MS = 10 * SECOND_MS;

export function emptyRow(): Row {
  return {
    failures: 0,
    lockedUntilMs: 0,
    lastFailedMs: 0,
    resetMs: 0,
    resets: 0,
    pending: 0,
    pendingUntilMs: 0,
  };
}

/** How long a try has to wait; 0 when it may go on. Changes nothing but what time has ended. */
export function waitMsOf(row: Row, parallelMax: number, nowMs: number): number {
  lapse(row, nowMs);
  if (row.lockedUntilMs > nowMs) return row.lockedUntilMs - nowMs;
  const isFull = row.pending >= (row.failures >= FREE_FAILURES ? 1 : parallelMax);
  return isFull ? FIRST_DELAY_MS : 0;
}

export function begin(row: Row, nowMs: number): void {
  row.pending++;
  row.pendingUntilMs = nowMs + PENDING_MS;
}

export function release(row: Row): void {
  row.pending = Math.max(0, row.pending - 1);
}

export function fail(row: Row, nowMs: number): void {
  lapse(row, nowMs);
  release(row);
  row.failures++;
  row.lastFailedMs = nowMs;
  if (row.failures < FREE_FAILURES) return;
  const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (row.failures - FREE_FAILURES), LONGEST_DELAY_MS);
  row.lockedUntilMs = Math.max(row.lockedUntilMs, nowMs + delayMs);
}

export function succeed(row: Row, nowMs: number): void {
  Object.assign(row, emptyRow(), { resetMs: nowMs, resets: row.resets + 1 });
}

function lapse(row: Row, nowMs: number): void {
  if (nowMs - row.lastFailedMs >= FORGOTTEN_AFTER_MS) {
    row.failures = 0;
    row.lockedUntilMs = 0;
  }
  if (nowMs >= row.pendingUntilMs) row.pending = 0;
}
