import { floorOf } from "@securewave/live";

/** How fast the service was; -1 is what was not measured, or of too few requests to be told. */
export interface Performance {
  readonly requests_floor: number;
  readonly mean_ms: number;
  readonly p95_ms: number;
  readonly error_share: number;
  readonly probe_ms: number;
  readonly query_ms: number;
  readonly processor: number;
  readonly memory: number;
}

export const UNMEASURED = -1;
/** One person with a page open makes hundreds of requests in a quarter of an hour (ZERO-LOG R9). */
const REQUESTS_MIN = 1000;
/** Upper ends grow by a tenth, from 0.1 ms to 100 s. */
const BUCKETS = 146;
const FIRST_MS = 0.1;
const GROWTH = 1.1;

/**
 * A machine that has little to do is busy when one person is, so what is kept begins where that shows no more, and
 * goes on in steps that are still fine enough for the bounds of OPS-4.
 */
const KEPT = {
  probe: { from: 50, step: 50 },
  query: { from: 10, step: 10 },
  share: { from: 0.5, step: 0.05 },
} as const;

/** What a process sees within one quarter of an hour. */
export interface Tally {
  request(milliseconds: number, isError: boolean): void;
  probe(milliseconds: number): void;
  queries(count: number, seconds: number): void;
  machine(processor: number, memory: number): void;
  read(): Performance;
}

export function createTally(): Tally {
  const buckets = new Uint32Array(BUCKETS);
  const means = { request: mean(), probe: mean(), query: mean(), processor: mean(), memory: mean() };
  let errors = 0;
  return {
    request(milliseconds, isError) {
      const at = Math.ceil(Math.log(milliseconds / FIRST_MS) / Math.log(GROWTH));
      const bucket = Math.min(BUCKETS - 1, Math.max(0, at));
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
      means.request.add(milliseconds);
      if (isError) errors++;
    },
    probe: (milliseconds) => means.probe.add(milliseconds),
    queries: (count, seconds) => means.query.add((seconds * 1000) / count, count),
    machine(processor, memory) {
      means.processor.add(processor);
      means.memory.add(memory);
    },
    read() {
      const count = means.request.count();
      const isTold = count >= REQUESTS_MIN;
      return {
        requests_floor: isTold ? floorOf(count) : 0,
        mean_ms: isTold ? means.request.value() : UNMEASURED,
        p95_ms: isTold ? percentile(buckets, count, 0.95) : UNMEASURED,
        error_share: isTold ? Math.round((errors / count) * 10_000) / 10_000 : UNMEASURED,
        probe_ms: coarse(means.probe.value(), KEPT.probe),
        query_ms: coarse(means.query.value(), KEPT.query),
        processor: coarse(means.processor.value(), KEPT.share),
        memory: coarse(means.memory.value(), KEPT.share),
      };
    },
  };
}

/** The next step above it. */
function coarse(value: number, { from, step }: { readonly from: number; readonly step: number }): number {
  if (value === UNMEASURED) return UNMEASURED;
  return Math.max(from, Math.round(Math.ceil(value / step) * step * 100) / 100);
}

/**
 * Puts what several processes saw, or one saw in several quarters, together: means by how many requests there were,
 * the 95th percentile of the worst.
 */
export function combine(all: readonly Performance[]): Performance {
  const sum = (rows: readonly Performance[]) => rows.reduce((total, row) => total + row.requests_floor, 0);
  const weighted = (read: (row: Performance) => number) => {
    const rows = all.filter((row) => read(row) >= 0);
    const requests = sum(rows);
    return requests === 0
      ? UNMEASURED
      : rows.reduce((total, row) => total + read(row) * row.requests_floor, 0) / requests;
  };
  const plain = (read: (row: Performance) => number) => {
    const values = all.map(read).filter((value) => value >= 0);
    return values.length === 0
      ? UNMEASURED
      : values.reduce((total, value) => total + value, 0) / values.length;
  };
  return {
    requests_floor: sum(all),
    mean_ms: weighted((row) => row.mean_ms),
    p95_ms: Math.max(UNMEASURED, ...all.map((row) => row.p95_ms)),
    error_share: weighted((row) => row.error_share),
    probe_ms: plain((row) => row.probe_ms),
    query_ms: plain((row) => row.query_ms),
    processor: plain((row) => row.processor),
    memory: plain((row) => row.memory),
  };
}

function mean() {
  let [sum, weight] = [0, 0];
  return {
    add(value: number, times = 1) {
      sum += value * times;
      weight += times;
    },
    count: () => weight,
    value: () => (weight === 0 ? UNMEASURED : sum / weight),
  };
}

/** The upper end of the bucket that it lies in: a tenth too high at most. */
function percentile(buckets: Uint32Array, count: number, share: number): number {
  let seen = 0;
  for (const [at, inBucket] of buckets.entries()) {
    seen += inBucket;
    if (seen >= count * share) return FIRST_MS * GROWTH ** at;
  }
  return UNMEASURED;
}
