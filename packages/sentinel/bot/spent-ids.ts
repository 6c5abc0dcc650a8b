import { type Clock, SECOND_MS } from "@securewave/foundation";

/** Remembers that an id was used. @returns false when it was used before, or when that cannot be told any more */
export type SpendId = (id: string, endsAtSeconds: number) => boolean;

/**
 * Remembers used ids until they end, at most `idsMax` of them. When there are more, those of the second that ends
 * first are forgotten, and whatever ends no later is refused from then on: what was forgotten cannot be used again.
 */
export function createSpentIds(clock: Clock, idsMax: number): SpendId {
  const idsBySecond = new Map<number, Set<string>>();
  let count = 0;
  let closedUntilSeconds = 0;

  function closeUntil(second: number): void {
    closedUntilSeconds = Math.max(closedUntilSeconds, second);
    for (const [end, ids] of idsBySecond) {
      if (end > second) continue;
      count -= ids.size;
      idsBySecond.delete(end);
    }
  }

  return (id, endsAtSeconds) => {
    const nowSeconds = Math.floor(clock.now() / SECOND_MS);
    if (nowSeconds > closedUntilSeconds) closeUntil(nowSeconds);
    if (endsAtSeconds <= closedUntilSeconds || idsBySecond.get(endsAtSeconds)?.has(id)) return false;
    if (count >= idsMax) closeUntil(Math.min(endsAtSeconds, ...idsBySecond.keys()));
    if (endsAtSeconds <= closedUntilSeconds) return false;
    const ids = idsBySecond.get(endsAtSeconds) ?? new Set();
    idsBySecond.set(endsAtSeconds, ids.add(id));
    count++;
    return true;
  };
}
