import { type Clock, invariant } from "@securewave/foundation";
import type { SharedStore } from "../redis/index.ts";
import { add, type Count, createCount, lifeMsOf, moveOn, usedOf, verdictOf } from "./counts.ts";
import { createExpiringMap, type ExpiringMap } from "./expiring-map.ts";
import type { Policy, Verdict } from "./policy.ts";
import { type Part, shareCounts } from "./shared-counts.ts";

export interface RateLimitsOptions {
  readonly clock: Clock;
  /** Where replicas share their counts; without it, each counts for itself. */
  readonly store?: SharedStore;
  /** How many keys of one policy are remembered, of which half are the most recently used. */
  readonly keysMax?: number;
}

/** What is asked for: a policy, a key, and what it costs, 1 if not said, 0 only to look. */
export type Asked = readonly [policy: Policy, key: string, cost?: number];

/** Counts by key what is let through, and says when it was too much. A refused request counts nowhere. */
export interface RateLimits {
  /** @returns at once, but for what the shared store has to be asked: 50 ms at most */
  take(policy: Policy, key: string, cost?: number): Verdict | Promise<Verdict>;
  /**
   * Takes all or none, in one round trip at most. Each pair of policy name and key may come once.
   *
   * @returns a verdict for each, in the order asked
   */
  takeAll(asked: readonly Asked[]): readonly Verdict[] | Promise<readonly Verdict[]>;
  /** What this process knows at this moment; takes nothing. */
  look(policy: Policy, key: string): Verdict;
  close(): void;
}

const KEYS_MAX = 100_000;
const SWEEP_MS = 10_000;
/** From here on the store is asked each time. */
const EXACT_FROM = 0.8;
/**
 * What a replica lets through before the others are told. With two replicas that is also the most by which a limit
 * can be overshot, since whoever asks the store tells first; each further replica can add as much.
 */
const UNTOLD_MAX = 0.01;
const NAME_PATTERN = /^[a-z0-9_-]{1,64}$/;

export function createRateLimits({ clock, store, keysMax = KEYS_MAX }: RateLimitsOptions): RateLimits {
  const kinds = new Map<string, { windowSeconds: number; counts: ExpiringMap<Count> }>();
  const shared = store && shareCounts(store, allCounts);
  const sweeping = setInterval(() => {
    for (const { counts } of kinds.values()) counts.sweep(clock.now());
  }, SWEEP_MS);
  sweeping.unref();

  function* allCounts(): Generator<Count> {
    for (const { counts } of kinds.values()) yield* counts.values();
  }

  function countsOf({ name, windowSeconds }: Policy): ExpiringMap<Count> {
    const known = kinds.get(name);
    if (known !== undefined) {
      invariant(known.windowSeconds === windowSeconds, "policies of one name have one window");
      return known.counts;
    }
    invariant(NAME_PATTERN.test(name), "a policy's name is a word");
    invariant(Number.isInteger(windowSeconds) && windowSeconds > 0, "a window is some whole seconds");
    const counts = createExpiringMap<Count>({ lifeMs: lifeMsOf(windowSeconds), entriesMax: keysMax });
    kinds.set(name, { windowSeconds, counts });
    return counts;
  }

  function countOf(policy: Policy, key: string, nowMs: number): Count {
    const counts = countsOf(policy);
    const known = counts.get(key, nowMs);
    if (known !== undefined) {
      moveOn(known, nowMs);
      return known;
    }
    const made = createCount(policy, key, nowMs);
    counts.set(key, made, nowMs);
    return made;
  }

  /** Whether a count is so near its limit, or has so much untold, that only the store can say. */
  function mustAsk(count: Count, limit: number, cost: number): boolean {
    if (cost === 0) return false;
    return usedOf(count) + cost > limit * EXACT_FROM || count.untold + cost > Math.floor(limit * UNTOLD_MAX);
  }

  function takeHere(count: Count, cost: number): void {
    add(count, cost);
    if (shared === undefined || cost === 0) return;
    count.untold += cost;
    shared.tell(count);
  }

  function partsOf(asked: readonly Asked[], nowMs: number): Part[] {
    return asked.map(([policy, key, cost = 1]) => ({
      count: countOf(policy, key, nowMs),
      limit: policy.limit,
      cost,
    }));
  }

  async function askStore(parts: readonly Part[]): Promise<Verdict[]> {
    const refused = await shared?.take(parts);
    const nowMs = clock.now();
    for (const { count } of parts) moveOn(count, nowMs);
    return refused === undefined ? judgeHere(parts, nowMs) : verdictsOf(parts, refused, nowMs);
  }

  function judgeHere(parts: readonly Part[], nowMs: number): Verdict[] {
    const refused = parts.findIndex((part) => !fits(part)) + 1;
    if (refused === 0) for (const { count, cost } of parts) takeHere(count, cost);
    return verdictsOf(parts, refused, nowMs);
  }

  return {
    take(policy, key, cost = 1) {
      const nowMs = clock.now();
      const count = countOf(policy, key, nowMs);
      const { limit } = policy;
      // What is used up stays so until time has passed: the store need not be asked.
      const isAllowed = usedOf(count) + cost <= limit;
      if (isAllowed && store?.state() === "up" && mustAsk(count, limit, cost)) {
        return askStore([{ count, limit, cost }]).then(([verdict]) => {
          invariant(verdict, "there is a verdict for each question");
          return verdict;
        });
      }
      if (isAllowed) takeHere(count, cost);
      return verdictOf(count, isAllowed, limit, cost, nowMs);
    },
    takeAll(asked) {
      const nowMs = clock.now();
      const parts = partsOf(asked, nowMs);
      const isOpen =
        store?.state() === "up" &&
        parts.every(fits) &&
        parts.some(({ count, limit, cost }) => mustAsk(count, limit, cost));
      return isOpen ? askStore(parts) : judgeHere(parts, nowMs);
    },
    look(policy, key) {
      const nowMs = clock.now();
      const count = countsOf(policy).get(key, nowMs) ?? createCount(policy, key, nowMs);
      moveOn(count, nowMs);
      return verdictOf(count, usedOf(count) < policy.limit, policy.limit, 1, nowMs);
    },
    close() {
      clearInterval(sweeping);
      shared?.close();
    },
  };
}

function fits({ count, limit, cost }: Part): boolean {
  return usedOf(count) + cost <= limit;
}

/** @param refused 0 when all were let through, else the number of one that was not, from 1 */
function verdictsOf(parts: readonly Part[], refused: number, nowMs: number): Verdict[] {
  return parts.map((part, at) => {
    const isAllowed = refused === 0 || (refused !== at + 1 && fits(part));
    return verdictOf(part.count, isAllowed, part.limit, part.cost, nowMs);
  });
}
