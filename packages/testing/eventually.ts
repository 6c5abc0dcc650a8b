import { setTimeout as pause } from "node:timers/promises";

export interface EventuallyOptions {
  /** How long the assertion may go on failing. Default 20,000: only a failure takes it, also where much else runs. */
  timeoutMs?: number;
  /** The pause between two tries. Default 50. */
  everyMs?: number;
}

/**
 * Repeats an assertion until it holds and gives back its result.
 *
 * @throws what the assertion threw last, when the time is over
 */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  { timeoutMs = 20_000, everyMs = 50 }: EventuallyOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await pause(everyMs);
  }
}
