import type { Act } from "./act.ts";

const FLUSH_MS = 5_000;
/** Different refusals kept apart until the next flush; what is more is counted as one. */
const APART_MAX = 200;

/**
 * Gathers refused log-ins, so that an attack writes a few lines with counts and not one for each try.
 *
 * @param write puts acts into the trail
 */
export function createRefusals(write: (acts: readonly Act[]) => Promise<void>) {
  let counted = new Map<string, { act: Act; count: number }>();
  let flushing: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    clearTimeout(flushing);
    flushing = undefined;
    const gathered = [...counted.values()];
    counted = new Map();
    if (gathered.length === 0) return;
    await write(gathered.map(({ act, count }) => ({ ...act, details: { ...act.details, count } })));
  }

  return {
    add(act: Act, onError: (error: unknown) => void): void {
      const key = JSON.stringify([act.kind, act.subject, act.details, act.origin]);
      const isApart = counted.has(key) || counted.size < APART_MAX;
      const { origin: _origin, ...rest } = act;
      const kept = isApart ? { key, act } : { key: act.kind, act: { ...rest, subject: "unknown" } };
      const row = counted.get(kept.key) ?? { act: kept.act, count: 0 };
      counted.set(kept.key, { ...row, count: row.count + 1 });
      flushing ??= setTimeout(() => flush().catch(onError), FLUSH_MS).unref();
    },
    flush,
  };
}
