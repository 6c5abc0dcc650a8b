/**
 * What follows from an account's use of a month. Pure: months are counted in UTC as `year * 12 + month` from 0, so
 * that a number is compared and not a clock.
 */
import type { UsageLevel } from "@securewave/contracts/usage";

/** The part of a plan that quota looks at. */
export interface QuotaRule {
  /** Null: no limit. */
  readonly quota_bytes: number | null;
  readonly on_quota: "throttle" | "block";
}

/** Percent of the quota that the owner was told of in a month. */
export type Told = 0 | 80 | 100;

export interface UseOfMonth {
  readonly month: number;
  readonly usedBytes: number;
  readonly told: Told;
}

export interface Verdict {
  readonly level: UsageLevel;
  readonly restriction: "none" | "throttled" | "blocked";
  /** What the owner is to be told; what they know is not told again. */
  readonly tell: 80 | 100 | undefined;
  /** What they know once they were told. */
  readonly told: Told;
}

const WARNED_PERCENT = 80;

export function monthOf(instantMs: number): number {
  const date = new Date(instantMs);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** As `2026-11`. */
export function monthText(month: number): string {
  return firstDayOf(month).slice(0, 7);
}

/** The day on which the quota is whole again. */
export function resetDayOf(month: number): string {
  return firstDayOf(month + 1);
}

function firstDayOf(month: number): string {
  return new Date(Date.UTC(Math.floor(month / 12), month % 12, 1)).toISOString().slice(0, 10);
}

/** What was used in an earlier month is nothing in this one, however long ago that was. */
export function inMonth(use: UseOfMonth, month: number): UseOfMonth {
  return use.month === month ? use : { month, usedBytes: 0, told: 0 };
}

export function levelOf(usedBytes: number, quotaBytes: number | null): UsageLevel {
  if (quotaBytes === null || usedBytes * 100 < quotaBytes * WARNED_PERCENT) return "below";
  return usedBytes < quotaBytes ? "warned" : "reached";
}

/** Rounded down, so that 100 is shown when it is reached and not before; null without a quota. */
export function percentOf(usedBytes: number, quotaBytes: number | null): number | null {
  return quotaBytes === null ? null : Math.floor((usedBytes / quotaBytes) * 100);
}

/**
 * Judges a month's use. Whoever falls below a mark again, since the plan became bigger, is told anew when that
 * mark is reached again: it is another one.
 */
export function judge(use: UseOfMonth, rule: QuotaRule, month: number): Verdict {
  const { usedBytes, told } = inMonth(use, month);
  const level = levelOf(usedBytes, rule.quota_bytes);
  const mark = MARKS[level];
  const isReached = level === "reached";
  return {
    level,
    restriction: isReached ? (rule.on_quota === "block" ? "blocked" : "throttled") : "none",
    tell: mark > told && mark !== 0 ? mark : undefined,
    told: mark,
  };
}

const MARKS: Readonly<Record<UsageLevel, Told>> = { below: 0, warned: 80, reached: 100 };
