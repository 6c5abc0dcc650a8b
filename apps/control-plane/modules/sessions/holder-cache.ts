import type { Role } from "@securewave/contracts";
import type { Clock } from "@securewave/foundation";
import { type Bus, EVERYBODY } from "../../bus.ts";

export interface Holder {
  readonly accountId: string;
  readonly role: Role;
}

const FRESH_MS = 60_000;
const ENTRIES_MAX = 100_000;

/**
 * Remembers who holds a session for a minute. Whatever ends a session or changes an account is told over
 * the bus and takes effect at once; the minute only bounds what a lost message could cost.
 */
export function createHolderCache(
  bus: Bus,
  clock: Clock,
  load: (sessionId: string) => Promise<Holder | undefined>,
  observe: (wasCached: boolean) => void,
) {
  const entries = new Map<string, { holder: Holder; untilMs: number }>();
  const generation = { value: 0 };

  bus.subscribe("sessions-changed", forget, forgetAll);

  function forgetAll(): void {
    generation.value++;
    entries.clear();
  }

  function forget(sessionOrAccountId: string): void {
    if (sessionOrAccountId === EVERYBODY) {
      forgetAll();
      return;
    }
    generation.value++;
    if (entries.delete(sessionOrAccountId)) return;
    for (const [sessionId, { holder }] of entries) {
      if (holder.accountId === sessionOrAccountId) entries.delete(sessionId);
    }
  }

  return async (sessionId: string): Promise<Holder | undefined> => {
    const entry = entries.get(sessionId);
    const isFresh = entry !== undefined && entry.untilMs > clock.now();
    observe(isFresh);
    if (isFresh) return entry.holder;
    const startedAt = generation.value;
    const holder = await load(sessionId);
    entries.delete(sessionId);
    // Something ended while the database was asked: what it said may be older, so it is not kept.
    if (!holder || startedAt !== generation.value) return holder;
    if (entries.size >= ENTRIES_MAX) for (const oldest of entries.keys()) if (entries.delete(oldest)) break;
    entries.set(sessionId, { holder, untilMs: clock.now() + FRESH_MS });
    return holder;
  };
}
