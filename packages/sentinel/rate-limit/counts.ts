import { SECOND_MS } from "@securewave/foundation";
import type { Policy, Verdict } from "./policy.ts";

/** A window is this many buckets. */
const BUCKETS = 10;
/** Those of a window, and the one that it begins in. */
const LIVE_BUCKETS = BUCKETS + 1;

/**
 * What is known of one key: how many were let through in each of the last buckets.
 *
 * A bucket counts until the whole of it lies more than a window back, so that in no stretch of `windowSeconds` more
 * than the limit is let through. The price: the budget comes back up to a tenth of a window late. Counts of several
 * replicas add up, which the one instant that GCRA keeps does not; and weighing the last window by its share, as the
 * usual two-bucket counter does, can let twice the limit through.
 */
export interface Count {
  readonly policyName: string;
  readonly key: string;
  readonly bucketMs: number;
  /** Number of the newest bucket since 1970. */
  newest: number;
  /** Let through by this replica; bucket `b` is at `b % 11`. */
  readonly own: number[];
  ownSum: number;
  /** Let through by all others, as far as is known; undefined while nothing is. */
  others: number[] | undefined;
  othersSum: number;
  /** The part of `ownSum` that the others were not told of. */
  untold: number;
  /** Its name in the shared store, once it has one. */
  storeName: string | undefined;
}

const EMPTY = Array.from({ length: LIVE_BUCKETS }, () => 0);

export function createCount({ name, windowSeconds }: Policy, key: string, nowMs: number): Count {
  const bucketMs = (windowSeconds * SECOND_MS) / BUCKETS;
  return {
    policyName: name,
    key,
    bucketMs,
    newest: Math.floor(nowMs / bucketMs),
    own: EMPTY.slice(),
    ownSum: 0,
    others: undefined,
    othersSum: 0,
    untold: 0,
    storeName: undefined,
  };
}

/** How long a count is worth keeping after it was last used. */
export function lifeMsOf(windowSeconds: number): number {
  return (windowSeconds * SECOND_MS * LIVE_BUCKETS) / BUCKETS;
}

/** Moves on to the bucket of the moment and forgets what is too old. A clock set back moves nothing. */
export function moveOn(count: Count, nowMs: number): void {
  const bucket = Math.floor(nowMs / count.bucketMs);
  if (bucket <= count.newest) return;
  const last = Math.min(bucket, count.newest + LIVE_BUCKETS);
  for (let each = count.newest + 1; each <= last; each++) {
    const at = each % LIVE_BUCKETS;
    count.ownSum -= count.own[at] ?? 0;
    count.own[at] = 0;
    if (!count.others) continue;
    count.othersSum -= count.others[at] ?? 0;
    count.others[at] = 0;
  }
  count.newest = bucket;
  count.untold = Math.min(count.untold, count.ownSum);
}

export function usedOf(count: Count): number {
  return count.ownSum + count.othersSum;
}

/** Notes what was let through here, in the bucket of the moment or in a given one that is still live. */
export function add(count: Count, cost: number, bucket = count.newest): void {
  if (!isLive(count, bucket)) return;
  const at = bucket % LIVE_BUCKETS;
  count.own[at] = (count.own[at] ?? 0) + cost;
  count.ownSum += cost;
}

/** What this replica let through, as `bucket:count,…`. */
export function rowOf(count: Count): string {
  let row = "";
  for (let bucket = oldestOf(count); bucket <= count.newest; bucket++) {
    const taken = count.own[bucket % LIVE_BUCKETS] ?? 0;
    if (taken > 0) row += row === "" ? `${bucket}:${taken}` : `,${bucket}:${taken}`;
  }
  return row;
}

/**
 * Learns what the others let through, from text as `rowOf` writes it. Within a bucket counts only grow, so that a
 * store which lost its own is not believed.
 */
export function learn(count: Count, row: string): void {
  const sums = new Map<number, number>();
  for (const pair of row === "" ? [] : row.split(",")) {
    const [bucket = 0, more = 0] = pair.split(":").map(Number);
    const known = Math.min(bucket, count.newest); // another's clock may be ahead
    if (isLive(count, known)) sums.set(known, (sums.get(known) ?? 0) + more);
  }
  for (const [bucket, sum] of sums) {
    count.others ??= EMPTY.slice();
    const at = bucket % LIVE_BUCKETS;
    const more = sum - (count.others[at] ?? 0);
    if (more <= 0) continue;
    count.others[at] = sum;
    count.othersSum += more;
  }
}

export function verdictOf(
  count: Count,
  isAllowed: boolean,
  limit: number,
  cost: number,
  nowMs: number,
): Verdict {
  const used = usedOf(count);
  const remaining = Math.max(0, limit - used);
  if (isAllowed)
    return { isAllowed, limit, remaining, resetSeconds: used === 0 ? 0 : secondsUntil(count, 1, nowMs) };
  const resetSeconds = Math.max(1, secondsUntil(count, used + cost - limit, nowMs));
  return { isAllowed, limit, remaining, resetSeconds };
}

/** Seconds until so many of those that count are forgotten, or all of them when there are not so many. */
function secondsUntil(count: Count, forgotten: number, nowMs: number): number {
  let sum = 0;
  let bucket = oldestOf(count);
  for (; bucket < count.newest; bucket++) {
    const at = bucket % LIVE_BUCKETS;
    sum += (count.own[at] ?? 0) + (count.others?.[at] ?? 0);
    if (sum >= forgotten) break;
  }
  return Math.ceil(((bucket + LIVE_BUCKETS) * count.bucketMs - nowMs) / SECOND_MS);
}

export function oldestOf(count: Count): number {
  return count.newest - BUCKETS;
}

function isLive(count: Count, bucket: number): boolean {
  return bucket <= count.newest && bucket >= oldestOf(count);
}
