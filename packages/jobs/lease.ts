/** Who runs a job, and a number that grows while he does. */
export interface Held {
  readonly name: string;
  readonly holder: string | null;
  readonly beats: number;
}

/**
 * Tells whether a worker elsewhere is still alive: one whose number has not grown for a while, by this process's own
 * stopwatch, is not. No time of day is compared, so no clock that is wrong or set anew ends a lease.
 */
export function watchHolders(leaseMs: number, stopwatch: () => number = () => performance.now()) {
  const seen = new Map<string, Held & { readonly sinceMs: number }>();
  return {
    isDead({ name, holder, beats }: Held): boolean {
      const before = seen.get(name);
      if (before?.holder === holder && before.beats === beats) return stopwatch() - before.sinceMs >= leaseMs;
      seen.set(name, { name, holder, beats, sinceMs: stopwatch() });
      return false;
    },
  };
}

/**
 * Has the number grow while a job runs.
 *
 * @param beat adds one; false where somebody else has taken over
 * @param onLost hears that the lease has been lost, or may be by now, since the database does not answer
 * @returns how to end it
 */
export function keepAlive(leaseMs: number, beat: () => Promise<boolean>, onLost: () => void): () => void {
  let keptMs = performance.now();
  let isBeating = false;
  const timer = setInterval(async () => {
    if (performance.now() - keptMs > (leaseMs * 2) / 3) onLost();
    if (isBeating) return;
    isBeating = true;
    const startedMs = performance.now();
    const isKept = await beat().catch(() => undefined);
    isBeating = false;
    if (isKept === true) keptMs = startedMs;
    else if (isKept === false) onLost();
  }, leaseMs / 6);
  timer.unref();
  return () => clearInterval(timer);
}
