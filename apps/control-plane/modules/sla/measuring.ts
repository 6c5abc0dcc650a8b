import { randomBytes } from "node:crypto";
import { availableParallelism, cpus, totalmem } from "node:os";
import type { Database } from "@securewave/database";
import { type Clock, MINUTE_MS } from "@securewave/foundation";
import type { FastifyInstance } from "fastify";
import { bitOf, type Found, startOf } from "./minutes.ts";
import { createTally, type Tally } from "./performance.ts";
import type { Probe } from "./probes.ts";
import * as store from "./store.ts";

export interface MeasuringOptions {
  readonly database: Pick<Database, "db">;
  readonly clock: Clock;
  readonly probe: Probe;
  /** How many queries there were so far, and how long they took together. */
  readonly queries: () => { readonly count: number; readonly seconds: number };
  /** Whether announced maintenance of a part goes on. */
  readonly isMaintained: (component: string, atMs: number) => Promise<boolean>;
  readonly onTrouble: (error: unknown) => void;
}

/** What could not be written waits so long: while the store is away, that it is gets known nowhere else. */
const HELD_MINUTES_MAX = 24 * 60;
const HELD_QUARTERS_MAX = 96;
/** Of each minute: replicas and twins whose clocks differ by little measure the same one. */
const SECOND_OF_MINUTE_MS = MINUTE_MS / 2;

interface Minute {
  readonly atMs: number;
  readonly found: ReadonlyMap<string, Found>;
  readonly maintained: ReadonlySet<string>;
}

/** Looks every minute how the service is, and counts how fast it answers. What it writes comes by the clock. */
export function createMeasuring(options: MeasuringOptions) {
  const { database, clock, probe, queries, isMaintained, onTrouble } = options;
  const process_ = randomBytes(9).toString("base64url");
  const tallies = new Map<number, Tally>();
  const held: Minute[] = [];
  let formerQueries = queries();
  let formerTimes = processorTimes();
  let timer: NodeJS.Timeout | undefined;
  let going: Promise<void> | undefined;

  function tally(): Tally {
    const quarter = startOf(clock.now(), "quarter");
    const one = tallies.get(quarter) ?? createTally();
    tallies.set(quarter, one);
    return one;
  }

  function countMachine(): void {
    const [now, times] = [queries(), processorTimes()];
    const count = now.count - formerQueries.count;
    if (count > 0) tally().queries(count, now.seconds - formerQueries.seconds);
    const all = times.all - formerTimes.all;
    tally().machine(all > 0 ? (times.busy - formerTimes.busy) / all : 0, memoryShare());
    formerQueries = now;
    formerTimes = times;
  }

  /** Measures this minute and writes it down, with all that could not be written before. */
  async function measure(): Promise<void> {
    const atMs = Math.floor(clock.now() / MINUTE_MS) * MINUTE_MS;
    const found = await probe();
    countMachine();
    const maintained = new Set<string>();
    for (const component of found.keys())
      if (await isMaintained(component, atMs).catch(() => false)) maintained.add(component);
    if (found.size > 0) held.push({ atMs, found, maintained });
    while (held.length > HELD_MINUTES_MAX) held.shift();
    await write();
  }

  async function write(): Promise<void> {
    const minutes = held.length;
    const quarter = startOf(clock.now(), "quarter");
    await store.addMinutes(database.db, setsOf(held));
    const rows = [...tallies].map(([starts, one]) => ({
      starts_at: new Date(starts),
      process: process_,
      ...one.read(),
    }));
    await store.putPerformance(database.db, rows);
    held.splice(0, minutes);
    for (const starts of tallies.keys()) if (starts < quarter) tallies.delete(starts);
  }

  function plan(): void {
    const nowMs = clock.now();
    const inMs = MINUTE_MS - ((nowMs - SECOND_OF_MINUTE_MS + MINUTE_MS) % MINUTE_MS);
    timer = setTimeout(() => {
      going = measure()
        .catch((error) => {
          // It is told once: the next minute tries again.
          if (held.length <= 1) onTrouble(error);
          while (tallies.size > HELD_QUARTERS_MAX) tallies.delete(Math.min(...tallies.keys()));
        })
        .finally(() => {
          going = undefined;
          if (timer !== undefined) plan();
        });
    }, inMs);
    timer.unref();
  }

  return {
    measure,
    /** Share of requests that failed in this quarter of an hour; undefined of too few. */
    errorShare(): number | undefined {
      const { error_share } = tally().read();
      return error_share < 0 ? undefined : error_share;
    },
    noteProbe: (milliseconds: number) => tally().probe(milliseconds),

    /** To be called before routes are added. Health is asked by machines, streams last as long as one listens. */
    observeRequests(server: Pick<FastifyInstance, "addHook">): void {
      server.addHook("onResponse", async (request, reply) => {
        const isStream = reply.getHeader("content-type") === "text/event-stream";
        const isOfMachines = request.routeOptions.url?.startsWith("/api/health") ?? false;
        if (isStream || isOfMachines || reply.isOfMaintenance) return;
        tally().request(reply.elapsedTime, reply.statusCode >= 500);
      });
    },

    start(): void {
      if (timer === undefined) plan();
    },
    async close(): Promise<void> {
      clearTimeout(timer);
      timer = undefined;
      await going?.catch(() => {});
    },
  };
}

/** One row for each quarter and part, as PostgreSQL takes it: no row twice in a statement. */
function setsOf(minutes: readonly Minute[]): store.AvailabilityQuarter[] {
  const rows = new Map<string, store.AvailabilityQuarter>();
  for (const { atMs, found, maintained } of minutes) {
    const starts = startOf(atMs, "quarter");
    for (const [component, state] of found) {
      const key = `${starts} ${component}`;
      const row = rows.get(key) ?? {
        starts_at: new Date(starts),
        component,
        ...{ up: 0, degraded: 0, down: 0, maintenance: 0 },
      };
      row[state] |= bitOf(atMs);
      if (maintained.has(component)) row.maintenance |= bitOf(atMs);
      rows.set(key, row);
    }
  }
  return [...rows.values()].sort(
    (a, b) => +a.starts_at - +b.starts_at || (a.component < b.component ? -1 : 1),
  );
}

function processorTimes(): { readonly busy: number; readonly all: number } {
  let [busy, all] = [0, 0];
  for (const { times } of cpus()) {
    const sum = times.user + times.nice + times.sys + times.irq + times.idle;
    all += sum;
    busy += sum - times.idle;
  }
  return { busy, all: all > 0 ? all : availableParallelism() };
}

/** Of what this process may have: the machine's, or its container's. */
function memoryShare(): number {
  const constrained = process.constrainedMemory();
  const total = constrained > 0 && constrained < totalmem() ? constrained : totalmem();
  return Math.min(1, Math.max(0, 1 - process.availableMemory() / total));
}
