export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
  const value = sorted[at];
  if (value === undefined) throw new RangeError("there are no values");
  return value;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new RangeError("there are no values");
  return (low + high) / 2;
}

/** The kernel's monotonic clock, which all processes of a machine read alike: clock_gettime(2). */
export function steadyMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Milliseconds that some work takes. */
export async function timed(work: () => unknown): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** Milliseconds of CPU that some work of this thread takes: other programs on the machine do not count. */
export async function cpuTimed(work: () => unknown): Promise<number> {
  const before = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** Has so many callers do pieces of work side by side; each piece gets its number and its caller's. */
export async function inParallel(
  callers: number,
  pieces: number,
  work: (piece: number, caller: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const call = async (caller: number) => {
    while (next < pieces) await work(next++, caller);
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
}
