import { MINUTE_MS } from "@securewave/foundation";
import { CronExpressionParser } from "cron-parser";

/** A machine whose clock is further from the database's goes by the database's. */
const DISAGREEMENT_MS = 10 * MINUTE_MS;
/** So far apart two workers can be. A time that lies further ahead was written before a clock was set back. */
const SKEW_MS = 30 * MINUTE_MS;
/** What is due is done by then, or something is wrong. */
const GRACE_MS = 10 * MINUTE_MS;

/** The first time after an instant that a cron expression names, in UTC. */
export function nextAfter(cron: string, afterMs: number): number {
  return CronExpressionParser.parse(cron, { tz: "UTC", currentDate: new Date(afterMs) })
    .next()
    .getTime();
}

/**
 * The time that all workers agree on: each one's own, but for a machine whose clock is plainly wrong. Without this, two
 * machines a day apart would take turns in finding the other's times past and to come.
 */
export function agreedTime(clockMs: number, machineMs: number, databaseMs: number): number {
  const apartMs = databaseMs - machineMs;
  return Math.abs(apartMs) > DISAGREEMENT_MS ? clockMs + apartMs : clockMs;
}

/**
 * What is to be done with a job whose next time is reckoned since an instant. However far the clock has jumped, it is
 * due once; and if it jumped back, its time is reckoned anew, so that it is due again when its time comes.
 */
export function judge(cron: string, scheduledMs: number, nowMs: number): "wait" | "run" | "reckon" {
  if (scheduledMs > nowMs + SKEW_MS) return "reckon";
  return nextAfter(cron, scheduledMs) <= nowMs ? "run" : "wait";
}

/** Whether a job that last succeeded, or began to be, at an instant should have succeeded again. */
export function isOverdue(cron: string, sinceMs: number, nowMs: number): boolean {
  return nextAfter(cron, sinceMs) + GRACE_MS < nowMs;
}

/** Whether a time for the next attempt has come, also where it was written before the clock was set back. */
export function mayRetry(retryMs: number | undefined, nowMs: number, delayMsMax: number): boolean {
  return retryMs === undefined || retryMs <= nowMs || retryMs > nowMs + delayMsMax + SKEW_MS;
}
