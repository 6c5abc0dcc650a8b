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

/** In Mbit/s. */
const SPEED_BOUNDS = [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000];
const MBIT = 1_000_000;

/** A speed as a range of half a decade: `10–30 Mbit/s`. */
export function speedRangeOf(bitsPerSecond: number): string {
  const at = speedStep(bitsPerSecond);
  const [lower = 0, upper] = SPEED_BOUNDS.slice(at, at + 2);
  if (upper === undefined) return `${lower / 1000} Gbit/s or more`;
  if (lower === 0) return `<${upper} Mbit/s`;
  return lower < 1000 ? `${lower}–${upper} Mbit/s` : `${lower / 1000}–${upper / 1000} Gbit/s`;
}

/** The lower end of the range, in bits per second. */
export function speedFloorOf(bitsPerSecond: number): number {
  return (SPEED_BOUNDS[speedStep(bitsPerSecond)] ?? 0) * MBIT;
}

function speedStep(bitsPerSecond: number): number {
  return Math.max(
    0,
    SPEED_BOUNDS.findLastIndex((bound) => bitsPerSecond >= bound * MBIT),
  );
}
