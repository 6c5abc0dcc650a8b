import type { Jobs } from "@securewave/jobs";
import type { Ledger } from "./ledger.ts";
import type { MinuteOfDay } from "./schedule.ts";

const JOB = "ledger-flush";
const MINUTES_PER_HOUR = 60;
/** After a start nodes come back first, so that what they have is in the ledger too. */
const CATCH_UP_AFTER_MS = 60_000;

/**
 * Has the ledger rewritten at its minute of the day. It is asked at that minute of every hour, so that what
 * failed, or what was due while the service was away, is done soon; a ledger that is not due writes nothing.
 *
 * @returns how to start the catching up, and how to end it
 */
export function scheduleLedger(jobs: Pick<Jobs, "define">, ledger: Ledger, flushAt: MinuteOfDay) {
  let timer: NodeJS.Timeout | undefined;
  jobs.define(
    JOB,
    async () => {
      // The queue tries again, sooner than the next hour.
      if ((await ledger.flushIfDue()) === "failed") throw new Error("the ledger was not rewritten");
    },
    { cron: `${flushAt % MINUTES_PER_HOUR} * * * *` },
  );
  return {
    start(): void {
      timer = setTimeout(() => void ledger.flushIfDue(), CATCH_UP_AFTER_MS);
      timer.unref();
    },
    stop: () => clearTimeout(timer),
  };
}
