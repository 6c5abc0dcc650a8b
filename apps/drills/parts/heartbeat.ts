import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "@securewave/contracts";

interface Beat {
  readonly name: string;
  readonly acknowledgedMs: number;
}

/**
 * Writes rows through the API one after the other, each with its entry in the audit trail, and keeps outside when which
 * was acknowledged. What a service has lost is what it acknowledged and has no more.
 */
export interface Heartbeat {
  /** Goes on against another address from here on. */
  follow(client: Client): void;
  /** Waits for the first acknowledgement after a moment. @returns when it came, in the time of `performance.now()` */
  nextAfter(ms: number, withinMs?: number): Promise<number>;
  /** The longest time between two acknowledgements since a moment. */
  longestGapSeconds(sinceMs: number): number;
  /** Ends the writing and compares. @param faultMs when the fault came */
  settle(client: Client, faultMs: number): Promise<Settled>;
  stop(): Promise<void>;
}

export interface Settled {
  readonly acknowledged: number;
  readonly lost: number;
  /** How old the oldest lost one was at the fault. */
  readonly rpoSeconds: number;
}

const EVERY_MS = 100;
const ANSWERS_WITHIN_MS = 5_000;

export function startHeartbeat(first: Client): Heartbeat {
  const beats: Beat[] = [];
  let client = first;
  let isOver = false;

  async function write(): Promise<void> {
    for (let number = 1; !isOver; number++) {
      const name = `beat ${number}`;
      await client.plans
        .create({ body: { name }, signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) })
        .then(() => beats.push({ name, acknowledgedMs: performance.now() }))
        .catch(() => {}); // not acknowledged, so nothing is owed
      await pause(EVERY_MS);
    }
  }
  const writing = write();

  async function stop(): Promise<void> {
    isOver = true;
    await writing;
  }

  return {
    follow(next) {
      client = next;
    },
    async nextAfter(ms, withinMs = 300_000) {
      for (const endsMs = performance.now() + withinMs; performance.now() < endsMs; ) {
        const next = beats.find(({ acknowledgedMs }) => acknowledgedMs > ms);
        if (next) return next.acknowledgedMs;
        await pause(20);
      }
      throw new Error(`no write was acknowledged within ${withinMs / 1000} s`);
    },
    longestGapSeconds(sinceMs) {
      const times = [
        sinceMs,
        ...beats.map(({ acknowledgedMs }) => acknowledgedMs).filter((ms) => ms > sinceMs),
      ];
      const gaps = times.slice(1).map((ms, index) => ms - (times[index] ?? ms));
      return Math.max(0, ...gaps) / 1000;
    },
    async settle(reader, faultMs) {
      await stop();
      const kept = await readAll(reader);
      const lost = beats.filter(({ name }) => !kept.has(name));
      const oldest = Math.min(...lost.map(({ acknowledgedMs }) => acknowledgedMs));
      return {
        acknowledged: beats.length,
        lost: lost.length,
        rpoSeconds: lost.length === 0 ? 0 : Math.max(0, (faultMs - oldest) / 1000),
      };
    },
    stop,
  };
}

async function readAll(client: Client): Promise<Set<string>> {
  const names = new Set<string>();
  for (let cursor: string | undefined; ; ) {
    const { items, next_cursor } = await client.plans.list({
      query: { limit: 100, ...(cursor === undefined ? {} : { cursor }) },
    });
    for (const { name } of items) names.add(name);
    if (next_cursor === null) return names;
    cursor = next_cursor;
  }
}
