import { createHmac, randomBytes } from "node:crypto";
import { DAY_MS, dayOf, MINUTE_MS } from "@securewave/foundation";
import type { DayKeys } from "../origins/index.ts";
import type { Script, SharedStore } from "./store.ts";

/** Of an instant in milliseconds, so that offers are in the order of their instants. */
const INSTANT_DIGITS = 15;

/**
 * The oldest offer for a day stands, so that a replica which reaches an emptied store first does not take from the
 * others what they count and block by. Returns what stands, and 1 if an offer took the place of a younger one.
 */
const AGREE: Script = {
  name: "agreeOnDayKeys",
  lua: `
local agreed, replaced = {}, 0
local function instantOf(offer) return string.sub(offer, 1, ${INSTANT_DIGITS}) end
for i, name in ipairs(KEYS) do
  local offer, life, held = ARGV[2 * i - 1], tonumber(ARGV[2 * i]), redis.call('GET', name)
  if life > 0 and (not held or instantOf(offer) < instantOf(held)) then
    redis.call('SET', name, offer, 'PX', life)
    if held then replaced = 1 end
    held = offer
  end
  agreed[i] = held or ''
end
return {agreed, replaced}`,
};

const TOPIC = "day-keys";

/** A key serves on its day and, as the previous one, on the day after: 48 hours from its day's beginning. */
const LIFE_MS = 2 * DAY_MS;
/** How long before midnight the next day's key is agreed on, so that no request finds replicas apart. */
const AHEAD_MS = DAY_MS / 24;

/**
 * Keys of the day that replicas agree on over the store, so that they count an origin as one. What stands in the
 * store is half of a key: without the other half, which is made of the store's own secret, it tells no address.
 *
 * Until replicas have agreed the local keys stand; what was agreed stays while the store is away, and is offered
 * to it when it comes back empty.
 */
export function createSharedDayKeys(store: SharedStore, local: DayKeys): DayKeys & { close(): void } {
  const otherHalf = store.secretFor("day keys");
  /** Halves by day, as offered or as agreed, each behind the instant at which it was made. */
  const halves = new Map<string, string>();
  let keys = keysOf(local.read());

  function halfOf(day: string, offer: () => Uint8Array): string {
    const known = halves.get(day);
    if (known !== undefined) return known;
    const madeAt = String(store.clock.now()).padStart(INSTANT_DIGITS, "0");
    const half = `${madeAt}.${Buffer.from(offer()).toString("base64url")}`;
    halves.set(day, half);
    return half;
  }

  function keysOf(own: ReturnType<DayKeys["read"]>): ReturnType<DayKeys["read"]> {
    const yesterday = dayBefore(own.day);
    for (const day of halves.keys()) if (day < yesterday) halves.delete(day);
    const join = (half: string) => createHmac("sha256", otherHalf).update(half).digest();
    return {
      day: own.day,
      current: join(halfOf(own.day, () => own.current)),
      previous: join(halfOf(yesterday, () => own.previous)),
    };
  }

  async function agree(): Promise<void> {
    const nowMs = store.clock.now();
    const days = [dayBefore(keys.day), keys.day];
    const midnightMs = Date.parse(keys.day) + DAY_MS;
    if (nowMs + AHEAD_MS >= midnightMs) days.push(dayOf(midnightMs));
    const offers = days.map((day) => halfOf(day, () => randomBytes(32)));
    const args = days.flatMap((day, at) => [offers[at] ?? "", Date.parse(day) + LIFE_MS - nowMs]);
    const names = days.map((day) => store.nameOf("day-key", day));
    const answer = await store.run(AGREE, names, args);
    const [agreed, replaced]: unknown[] = Array.isArray(answer) ? answer : [];
    if (!Array.isArray(agreed)) return;
    if (replaced === 1) store.publish(TOPIC, ""); // for those who took the younger one
    let isChanged = false;
    for (const [at, day] of days.entries()) {
      const half = String(agreed[at] ?? "");
      if (half === "" || half === halves.get(day)) continue;
      halves.set(day, half);
      isChanged = true;
    }
    if (isChanged) keys = keysOf(local.read());
  }
  const tryToAgree = () => void agree().catch(() => undefined);

  const stops = [store.onUp(tryToAgree), store.subscribe(TOPIC, { heard: tryToAgree })];
  const again = setInterval(tryToAgree, MINUTE_MS);
  again.unref();

  return {
    read() {
      const own = local.read();
      if (own.day === keys.day) return keys;
      keys = keysOf(own);
      tryToAgree();
      return keys;
    },
    close() {
      for (const stop of stops) stop();
      clearInterval(again);
    },
  };
}

function dayBefore(day: string): string {
  return dayOf(Date.parse(day) - DAY_MS);
}
