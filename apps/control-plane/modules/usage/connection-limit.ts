/** Beyond what is allowed at the same time, a device is kept away at least so long. */
export const WITHHELD_SECONDS = 60;

/** An account's devices, by public key, as far as the limit of its connections looks at them. */
export interface Slots {
  /** Those connected, in the order in which they came. */
  readonly admitted: readonly string[];
  /** Those kept away, each with the instant until which it is at least, in milliseconds since 1970. */
  readonly withheld: ReadonlyMap<string, number>;
}

export const NO_SLOTS: Slots = { admitted: [], withheld: new Map() };

/**
 * Looks at who is connected. Beyond the limit the newest are kept away: for a minute, and then until there is a
 * place, so that one device too many does not come and go. A device is known by its key: on another network or
 * another node it is the same one.
 *
 * @param connected each key once, in any order
 * @param limit null: none
 */
export function admit(
  slots: Slots,
  connected: ReadonlySet<string>,
  limit: number | null,
  nowMs: number,
): Slots {
  if (limit === null) return { admitted: [...connected].sort(), withheld: new Map() };
  const stayed = slots.admitted.filter((key) => connected.has(key));
  const hasPlace = stayed.length < limit;
  const latestMs = nowMs + WITHHELD_SECONDS * 1000; // a clock that was set back does not lengthen it
  const withheld = new Map(
    [...slots.withheld]
      .filter(([, untilMs]) => untilMs > nowMs || !hasPlace)
      .map(([key, untilMs]) => [key, Math.min(untilMs, latestMs)]),
  );
  const known = new Set(stayed);
  // Of those that came within one report none was first: their keys decide, so that every replica decides alike.
  const came = [...connected].filter((key) => !known.has(key) && !withheld.has(key)).sort();
  const all = [...stayed, ...came];
  for (const key of all.slice(limit)) withheld.set(key, latestMs);
  return { admitted: all.slice(0, limit), withheld };
}
