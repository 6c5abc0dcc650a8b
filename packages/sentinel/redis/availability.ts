import type { Redis } from "ioredis";
import { connectAgain, inTime } from "./connection.ts";

export type StoreState = "up" | "down";

/** Says whether the store may be asked. */
export interface Availability {
  state(): StoreState;
  /** Notes that a command failed: the store is left alone until it answers a probe. */
  failed(): void;
  /** Asks again whether the store may be used at all. */
  admitAgain(): Promise<void>;
  /** Resolves once the store may be asked or is not admitted, or the time is over. */
  settled(waitMs: number): Promise<StoreState>;
  close(): void;
}

const PROBE_MS = 250;
const PROBE_LIFE_MS = 1000;
/** So many probes in a row without an answer mean that the connection is dead without having been closed. */
const FAILED_PROBES_MAX = 10;

/**
 * A breaker: after a command that failed nobody asks the store, but for one probe at a time, so that a frozen store
 * costs those who asked at that moment 50 ms, and nobody else anything.
 *
 * The probe is a write: a store that is full or read-only counts as away. The first one goes out at once, and only if
 * it fails too is the store said to be down.
 *
 * @param changed hears of the state when the first probe after a failure has failed too, and when one is answered
 * @param admit looks, before anything is written, at the server of each connection: what does not pass counts as down
 */
export function watchAvailability(
  connection: Redis,
  probeName: string,
  changed: (state: StoreState) => void,
  admit: () => Promise<boolean> = async () => true,
): Availability {
  let isTrusted = false;
  let isAdmitted = false;
  let announced: StoreState = "down";
  let failedProbes = 0;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let whenUp: (() => void)[] = [];

  const state = (): StoreState => (connection.status === "ready" && isAdmitted && isTrusted ? "up" : "down");

  function announce(): void {
    const latest = state();
    if (latest === announced || isClosed) return;
    announced = latest;
    changed(latest);
    if (latest === "up") settle();
  }

  function settle(): void {
    for (const resolve of whenUp) resolve();
    whenUp = [];
  }

  async function probe(): Promise<void> {
    clearTimeout(timer);
    if (connection.status !== "ready" || isClosed) return; // the next connection begins with a probe
    try {
      if (!isAdmitted) isAdmitted = await admit();
      if (!isAdmitted) {
        announce();
        settle();
        return; // until it is asked again
      }
      await inTime(connection.set(probeName, "", "PX", PROBE_LIFE_MS));
      isTrusted = true;
      failedProbes = 0;
      announce();
    } catch {
      announce();
      if (++failedProbes % FAILED_PROBES_MAX === 0) connection.disconnect(true);
      clearTimeout(timer);
      timer = setTimeout(probe, PROBE_MS);
    }
  }

  connection.on("error", () => undefined); // it closes too
  connection.on("close", () => {
    isTrusted = false;
    isAdmitted = false; // another server may answer next
    announce();
  });
  connection.on("ready", probe);
  connectAgain(connection, () => isClosed);

  return {
    state,
    failed() {
      if (!isTrusted) return;
      isTrusted = false;
      void probe();
    },
    async admitAgain() {
      if (connection.status !== "ready" || isClosed) return;
      const wasAdmitted = isAdmitted;
      isAdmitted = await admit().catch(() => wasAdmitted); // one that is away shows in the next command
      if (isAdmitted && !wasAdmitted) await probe();
      announce();
    },
    async settled(waitMs) {
      if (state() === "down") {
        await new Promise<void>((resolve) => {
          whenUp.push(resolve);
          setTimeout(resolve, waitMs).unref();
        });
      }
      return state();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      settle();
    },
  };
}
