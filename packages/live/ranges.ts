const BOUNDS = [0, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000];

/**
 * A count of connections as a range: "1 connected" on a small node would be one person's log
 * (ZERO-LOG R9). Zero and nine look alike on purpose.
 */
export function rangeOf(count: number): string {
  const upper = BOUNDS.findIndex((bound) => count < bound);
  if (upper === -1) return `${BOUNDS.at(-1)} or more`;
  return `${BOUNDS[upper - 1]}–${(BOUNDS[upper] ?? 0) - 1}`;
}

/** The lower end of the range, for programs. */
export function floorOf(count: number): number {
  return BOUNDS.findLast((bound) => count >= bound) ?? 0;
}
