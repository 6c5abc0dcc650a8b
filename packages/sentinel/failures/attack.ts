import { type Clock, MINUTE_MS } from "@securewave/foundation";
import { createRateLimits, type Policy } from "../rate-limit/index.ts";
import type { Script, SharedStore } from "../redis/index.ts";

/** Notes that all are under attack until then, for whoever comes later. ARGV: until, life in ms. */
const NOTE: Script = {
  name: "noteAttack",
  lua: `
local known = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[1]) > known then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return math.max(known, tonumber(ARGV[1])) .. ''`,
};

const TOPIC = "attack";
/** Kept up for so long after the last minute with too many failures. */
const LASTS_MS = 5 * MINUTE_MS;

/** Whether so many log-ins fail all over the service that everybody should show to be no robot. */
export interface AttackWatch {
  failed(): void;
  isUnderAttack(): boolean;
  close(): void;
}

export function watchForAttack(
  clock: Clock,
  store: SharedStore | undefined,
  perMinuteMax: number,
): AttackWatch {
  const limits = createRateLimits({ clock, ...(store ? { store } : {}) });
  const policy: Policy = { name: "failures", limit: perMinuteMax, windowSeconds: 60 };
  let untilMs = 0;

  function hear(heardMs: number): void {
    // Bounded, since it comes from elsewhere.
    if (heardMs <= clock.now() + LASTS_MS) untilMs = Math.max(untilMs, heardMs);
  }
  async function share(shared: SharedStore): Promise<void> {
    const nowMs = clock.now();
    const name = shared.nameOf("attack", "");
    hear(Number(await shared.run(NOTE, [name], [untilMs, Math.max(untilMs - nowMs, 1)])));
  }
  const stops = store
    ? [
        store.onUp(() => void share(store).catch(() => undefined)),
        store.subscribe(TOPIC, { heard: (text) => hear(Number(text)) }),
      ]
    : [];

  function begin(): void {
    const isKnown = untilMs > clock.now() + LASTS_MS - MINUTE_MS / 2; // said often enough
    if (isKnown) return;
    untilMs = clock.now() + LASTS_MS;
    if (!store) return;
    store.publish(TOPIC, String(untilMs));
    share(store).catch(() => undefined);
  }

  return {
    failed() {
      const verdict = limits.take(policy, "all");
      if (verdict instanceof Promise) void verdict.then(({ isAllowed }) => isAllowed || begin());
      else if (!verdict.isAllowed) begin();
    },
    isUnderAttack: () => untilMs > clock.now(),
    close() {
      for (const stop of stops) stop();
      limits.close();
    },
  };
}
