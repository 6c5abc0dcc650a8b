import { MINUTE_MS } from "@securewave/foundation";
import { readLists, type SourceOptions } from "@securewave/sentinel/reputation";

const EVERY_MS = 5 * MINUTE_MS;
/** The answer is read and thrown away; one that does not end is no answer. */
const LIMITS = { seconds: 10, bytesMax: 65_536 } as const;

/**
 * Calls an outside service every five minutes, which rings when it is called no more. Like lists of networks, it is
 * asked by https and at public addresses only.
 */
export function createHeartbeat(url: string | undefined, options: SourceOptions = {}) {
  let nextMs = 0;
  return {
    /** Calls when it is time to. */
    async beat(atMs: number): Promise<void> {
      if (url === undefined || (atMs < nextMs && nextMs - atMs <= EVERY_MS)) return;
      nextMs = atMs + EVERY_MS;
      for await (const _ of readLists([url], { ...options, ...LIMITS }));
    },
  };
}
