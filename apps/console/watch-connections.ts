import type { Connection } from "@securewave/contracts";

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

export interface WatchOptions {
  readonly open: (signal: AbortSignal) => AsyncIterable<readonly Connection[]>;
  readonly onConnections: (connections: readonly Connection[]) => void;
  readonly onLive: (isLive: boolean) => void;
  readonly signal: AbortSignal;
  /** Resolves after so many milliseconds, or sooner when the signal aborts. */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** From 0 up to but not including 1. */
  readonly random?: () => number;
}

/**
 * Follows a stream of connections until the signal aborts, and opens it again whenever it breaks, after pauses that
 * double up to half a minute. Half of each pause is left to chance, so that a restarted server is not met by all
 * pages at once.
 */
export async function watchConnections(options: WatchOptions): Promise<void> {
  const { signal, pause = pauseFor, random = Math.random } = options;
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      for await (const connections of options.open(signal)) {
        if (signal.aborted) return;
        pauseMs = FIRST_PAUSE_MS;
        options.onLive(true);
        options.onConnections(connections);
      }
    } catch {
      // However the stream broke, what helps is to open it again.
    }
    if (signal.aborted) return;
    options.onLive(false);
    await pause(pauseMs * (0.5 + random() / 2), signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
