import type { Bus } from "./bus.ts";

/** A lost message costs this long at most. */
const FRESH_MS = 2_000;

/**
 * Keeps what is read all the time and changed by admins only. A change is seen at once here and in every
 * process that the bus reaches.
 */
export function createCache<Value>(load: () => Promise<Value>, bus: Bus): { read(): Promise<Value> } {
  let held: { value: Promise<Value>; untilMs: number } | undefined;
  const drop = () => {
    held = undefined;
  };
  bus.subscribe("registry-changed", drop, drop);
  return {
    read() {
      if (held && held.untilMs > performance.now()) return held.value;
      const value = load();
      held = { value, untilMs: performance.now() + FRESH_MS };
      value.catch(drop);
      return value;
    },
  };
}
