import { encodeHealth } from "@securewave/contracts/node-frames";
import type { FiguresKind } from "./connection.ts";
import type { Counting } from "./counting.ts";
import type { DesiredState } from "./desired-state.ts";
import type { Reading, WireGuardDriver } from "./drivers/driver.ts";
import type { Health } from "./health.ts";
import type { Log } from "./log.ts";
import type { Scrubber } from "./scrubber.ts";
import type { Tunnel } from "./tunnel.ts";

export interface ReportingOptions {
  readonly intervalMs: number;
  readonly driver: Pick<WireGuardDriver, "reports">;
  readonly tunnel: Tunnel;
  readonly state: DesiredState;
  readonly counting: Pick<Counting, "report">;
  readonly health: Health;
  readonly scrubber: Scrubber | undefined;
  readonly log: Log;
  /** Drops the frame while nobody listens. */
  readonly send: (bytes: Uint8Array, kind: FiguresKind) => void;
  /** Runs at the end of each round. */
  readonly onRound: () => void;
}

/** Tells how tunnels and machine fare, on a fixed tick whatever happens in the tunnels (ZERO-LOG leak 11). */
export interface Reporting {
  start(): void;
  /** Resolves when no round is under way any more. */
  stop(): Promise<void>;
}

export function createReporting(options: ReportingOptions): Reporting {
  const { driver, tunnel, state, counting, health, scrubber, log, send, onRound } = options;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> | undefined;
  let isStopped = false;

  async function report(): Promise<void> {
    const reading = await read();
    await counting.report(reading);
    send(encodeHealth(await health.next()), "health");
    if (reading) await scrubber?.scrub(reading);
    onRound();
    if (reading && tunnel.isAtRest && !isStopped && reading.peerCount !== state.size) {
      log("drift-repaired");
      tunnel.distrust();
    }
  }

  async function read(): Promise<Reading | undefined> {
    if (!tunnel.isUp) return undefined;
    try {
      return await driver.reports();
    } catch (error) {
      tunnel.noteFailure(error);
      return undefined;
    }
  }

  return {
    start() {
      timer = setInterval(() => {
        round ??= report().finally(() => {
          round = undefined;
        });
      }, options.intervalMs);
    },
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await round?.catch(() => undefined);
    },
  };
}
