import { randomBytes } from "node:crypto";
import { type Clock, DAY_MS, dayOf } from "@securewave/foundation";

/** Keys under which addresses become pseudonyms: in memory only, and new every day (UTC). 32 bytes each. */
export interface DayKeys {
  /** The same object for as long as its keys stand. */
  read(): { readonly day: string; readonly current: Uint8Array; readonly previous: Uint8Array };
}

const KEY_BYTES = 32;

export function createDayKeys(clock: Clock): DayKeys {
  const makeKeys = (nowMs: number, previous: Uint8Array) => {
    const day = dayOf(nowMs);
    return { endsAtMs: Date.parse(day) + DAY_MS, keys: { day, current: randomBytes(KEY_BYTES), previous } };
  };
  let { endsAtMs, keys } = makeKeys(clock.now(), randomBytes(KEY_BYTES));

  return {
    read() {
      const nowMs = clock.now();
      if (nowMs < endsAtMs) return keys;
      // A key that nobody asked for on the day after its own is gone, too.
      const isNextDay = nowMs < endsAtMs + DAY_MS;
      ({ endsAtMs, keys } = makeKeys(nowMs, isNextDay ? keys.current : randomBytes(KEY_BYTES)));
      return keys;
    },
  };
}
