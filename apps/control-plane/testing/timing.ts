/** How long two ways of doing something take, in pairs. */
export interface Times {
  readonly rounds: number;
  /** Median of the one, in milliseconds. */
  readonly oneMs: number;
  readonly otherMs: number;
  /** `otherMs` over `oneMs`. */
  readonly ratio: number;
  /** How often the one was faster than the other, 0 to 1; a half where nothing tells them apart. */
  readonly share: number;
}

/**
 * Times two ways of doing something, by turns in random order, so that what else the machine does falls on both.
 *
 * @param rounds how often each is done and timed, after a few untimed ones
 */
export async function compareTimes(
  one: () => Promise<unknown>,
  other: () => Promise<unknown>,
  rounds = 40,
): Promise<Times> {
  const [ones, others]: [number[], number[]] = [[], []];
  const ways = [
    { act: one, times: ones },
    { act: other, times: others },
  ];
  for (let round = -WARM_UP; round < rounds; round++) {
    const order = Math.random() < 0.5 ? ways : ways.toReversed();
    for (const { act, times } of order) {
      const startedMs = performance.now();
      await act();
      const tookMs = performance.now() - startedMs;
      if (round >= 0) times.push(tookMs);
    }
  }
  const [oneMs, otherMs] = [medianOf(ones), medianOf(others)];
  return { rounds, oneMs, otherMs, ratio: otherMs / oneMs, share: shareFaster(ones, others) };
}

const WARM_UP = 3;

/**
 * Whether somebody who measures could tell the two apart: their medians lie within a quarter of each other, or
 * neither is reliably the faster one (the Mann–Whitney test at five standard deviations).
 */
export function isTold({ rounds, ratio, share }: Times): boolean {
  const deviation = Math.sqrt((2 * rounds + 1) / (12 * rounds * rounds));
  return (ratio < 0.8 || ratio > 1.25) && Math.abs(share - 0.5) > 5 * deviation;
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** U over its largest value: the share of all pairs in which the first is faster. */
function shareFaster(ones: readonly number[], others: readonly number[]): number {
  let faster = 0;
  for (const one of ones) for (const other of others) faster += one < other ? 1 : one === other ? 0.5 : 0;
  return faster / (ones.length * others.length);
}
