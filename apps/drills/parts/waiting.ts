import { setTimeout as pause } from "node:timers/promises";

const EVERY_MS = 50;

/**
 * Tries until it works.
 *
 * @throws what the last try threw
 */
export async function until<Result>(
  what: string,
  attempt: () => Promise<Result>,
  withinMs = 120_000,
): Promise<Result> {
  const endsMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > endsMs)
        throw new Error(`${what} did not come within ${withinMs / 1000} s`, { cause: error });
    }
    await pause(EVERY_MS);
  }
}

/** @throws Error with the sentence */
export function demand(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new Error(otherwise);
}
