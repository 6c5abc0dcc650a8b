import { createReputation, type Reputation, readLists } from "@securewave/sentinel/reputation";
import type { Config } from "./config.ts";
import { describeError, type Logger } from "./logger.ts";

const RELOAD_LISTS_MS = 60 * 60 * 1000;
/** After a list could not be read; doubled each time. */
const RETRY_LISTS_MS = 10_000;

/** Reads the lists of networks in the background, and again every hour. */
export function keepReputation(
  lists: Config["reputation"],
  logger: Logger,
): { readonly reputation: Reputation; close(): void } {
  const reputation = createReputation();

  async function loadLists(): Promise<void> {
    const { blockLists, allowLists } = lists;
    for (const [list, sources] of [
      ["allow", allowLists],
      ["block", blockLists],
    ] as const) {
      if (sources.length === 0) continue;
      const { networks, badLines } = await reputation.replace(list, readLists(sources));
      logger.info("reputation_loaded", { count: networks });
      if (badLines > 0) logger.warn("reputation_bad_lines", { count: badLines });
    }
  }
  let reloading: NodeJS.Timeout | undefined;
  let retryMs = RETRY_LISTS_MS;
  let isClosed = false;
  async function keepListsFresh(): Promise<void> {
    let waitMs = RELOAD_LISTS_MS;
    try {
      await loadLists();
      retryMs = RETRY_LISTS_MS;
    } catch (error) {
      logger.error("reputation_failed", describeError(error));
      waitMs = retryMs;
      retryMs = Math.min(2 * retryMs, RELOAD_LISTS_MS);
    }
    if (isClosed) return;
    reloading = setTimeout(() => void keepListsFresh(), waitMs);
    reloading.unref();
  }
  void keepListsFresh();
  return {
    reputation,
    close() {
      isClosed = true;
      clearTimeout(reloading);
    },
  };
}
