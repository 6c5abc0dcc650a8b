import type { Clock } from "@securewave/foundation";
import type { Link } from "./connection.ts";
import type { Reading } from "./drivers/driver.ts";
import { createHandshakes } from "./handshakes.ts";
import type { Log } from "./log.ts";
import { createTotals, type Totals } from "./totals.ts";
import type { TotalsFile } from "./totals-file.ts";

export interface CountingOptions {
  readonly file: TotalsFile;
  readonly clock: Clock;
  /** Milliseconds of a clock that is never set. */
  readonly steadyMs: () => number;
  readonly log: Log;
  readonly link: () => Link | undefined;
  /** Keys that have or get a slot. */
  readonly wantedKeys: () => Iterable<string>;
  /** Reads the counters at this moment; undefined while there is no interface. */
  readonly read: () => Promise<Reading | undefined>;
}

/** Tells the control plane what peers carry, so that each byte counts once through any restart or loss. */
export interface Counting {
  /** Takes up what an agent before this one counted. */
  open(): Promise<void>;
  interfaceMade(): void;
  forgotten(publicKeys: readonly string[]): void;
  /** A connection was opened, and is told the roster before anything else. */
  connected(): void;
  /** Counts a reading and reports it. Without one, totals stay and nobody is connected. */
  report(reading: Reading | undefined): Promise<void>;
  close(batch: number): void;
  settled(incarnation: string, batch: number): void;
  recount(): void;
  /** Resolves when what was told is written. */
  flush(): Promise<void>;
  remove(): Promise<void>;
}

const SEQUENCE_MAX = 2 ** 32;

export function createCounting(options: CountingOptions): Counting {
  const { file, log, link, wantedKeys, read } = options;
  const handshakes = createHandshakes(options);
  let totals: Totals = createTotals(undefined);
  let last: Promise<void> = Promise.resolve();
  let sequence = 0;
  /** Whether this connection knows which slots reports have. */
  let isRosterTold = false;
  let isFailing = false;

  /** One thing at a time: what is told must be written first. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    last = last.then(work).catch(() => log("counting-failed"));
    return last;
  }

  /** Totals that were told may not be lost: after a restart they would have gone backwards. */
  async function write(): Promise<void> {
    const saved = totals.save();
    if (!saved) return;
    const isWritten = await file.write(saved);
    if (!isWritten && !isFailing) log("totals-not-written");
    isFailing = !isWritten;
  }

  function count(reading: Reading | undefined): void {
    totals.follow(wantedKeys());
    if (reading) totals.absorb(reading.counters);
  }

  function tellRoster(): void {
    link()?.send(totals.roster());
    isRosterTold = true;
  }

  return {
    open: () =>
      inTurn(async () => {
        totals = createTotals(await file.read());
      }),
    interfaceMade() {
      totals.interfaceMade();
      void inTurn(write); // what flows from here on is new, also to an agent that takes over before the first tick
    },
    forgotten(publicKeys) {
      totals.forgotten(publicKeys);
      void inTurn(write);
    },
    connected() {
      isRosterTold = false;
      sequence = 0;
      void inTurn(async () => {
        totals.follow(wantedKeys());
        await write();
        tellRoster();
      });
    },
    report: (reading) =>
      inTurn(async () => {
        count(reading);
        const ages = reading ? handshakes.agesOf(reading.counters) : new Map<string, number>();
        await write();
        if (!isRosterTold) return;
        const added = totals.takeNewSlots();
        if (added) link()?.send(added);
        sequence = (sequence + 1) % SEQUENCE_MAX;
        link()?.sendFigures(totals.report(sequence, ages), "report");
      }),
    close(batch) {
      void inTurn(async () => {
        // What cannot be read at this moment counts in the next batch.
        count(await read().catch(() => undefined));
        const isFrozen = totals.freeze(batch);
        await write();
        const bytes = isFrozen && isRosterTold ? totals.batch(batch) : undefined;
        if (bytes) link()?.sendFigures(bytes, "batch");
      });
    },
    settled(incarnation, batch) {
      void inTurn(async () => {
        if (!totals.settle(incarnation, batch)) return;
        await write();
        tellRoster();
      });
    },
    recount() {
      void inTurn(async () => {
        totals.recount();
        await write();
        tellRoster();
      });
    },
    flush: () => inTurn(async () => undefined),
    remove: () => inTurn(() => file.remove()),
  };
}
