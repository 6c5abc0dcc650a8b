import type { Database } from "@securewave/database";
import { type Clock, DAY_MS, MINUTE_MS } from "@securewave/foundation";
import type { Jobs } from "@securewave/jobs";
import { inOrder } from "./components.ts";
import { type History, rewrittenFromMs } from "./history.ts";
import { bitOf, startOf } from "./minutes.ts";
import * as store from "./store.ts";

/** Maintenance that was announced in time. */
export interface AnnouncedSpan {
  readonly fromMs: number;
  readonly toMs: number;
  /** None: all. */
  readonly components: readonly string[];
}

export interface RollUpOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly jobs: Pick<Jobs, "define">;
  readonly history: Pick<History, "fromQuarters" | "sinceMs">;
  readonly announced: (fromMs: number, toMs: number) => Promise<readonly AnnouncedSpan[]>;
}

const CRON = "2,17,32,47 * * * *";
const KEPT_DAYS = { quarters: 8, hours: 100, days: 5 * 366 };

/** Keeps what was measured short: quarters become hours and days. @returns what the job does */
export function defineRollUp(options: RollUpOptions): () => Promise<void> {
  const { database, clock, jobs, history, announced } = options;

  /** Of a service that was away for longer than that, the last day in which it was there is not summed up yet. */
  async function fromMsAt(nowMs: number): Promise<number> {
    const last = (await store.lastDay(database.db))?.getTime() ?? (await history.sinceMs()) ?? nowMs;
    return Math.min(rewrittenFromMs(nowMs), startOf(last, "day"));
  }

  /** Writes hours and days anew from the quarters of the last two days, and deletes what is too old. */
  async function rollUp(): Promise<void> {
    const nowMs = clock.now();
    const fromMs = await fromMsAt(nowMs);
    await markAnnounced(fromMs, nowMs);
    for (const period of ["hour", "day"] as const) {
      const known = [...(await history.fromQuarters(fromMs, nowMs, period)).values()];
      const availability = known.flatMap(({ startsMs, byComponent }) =>
        [...byComponent].map(([component, { up, degraded, down, maintenance }]) => ({
          ...{ period, starts_at: new Date(startsMs), component },
          up_minutes: up,
          degraded_minutes: degraded,
          down_minutes: down,
          maintenance_minutes: maintenance,
        })),
      );
      const performance = known.map((slice) => ({
        ...{ period, starts_at: new Date(slice.startsMs) },
        ...slice.performance,
      }));
      await database.transaction((trx) => store.putPeriods(trx, availability, performance));
    }
    const before = (days: number) => new Date(startOf(nowMs - days * DAY_MS, "day"));
    await database.transaction((trx) =>
      store.deleteOlder(trx, {
        quarters: before(KEPT_DAYS.quarters),
        hours: before(KEPT_DAYS.hours),
        days: before(KEPT_DAYS.days),
      }),
    );
  }

  /** Minutes of announced maintenance are not unknown, also where the service was stopped for it. */
  async function markAnnounced(fromMs: number, toMs: number): Promise<void> {
    const firstMs = await history.sinceMs();
    const spans = await announced(fromMs, toMs);
    if (firstMs === undefined || spans.length === 0) return;
    const known = inOrder(
      (await store.listQuarters(database.db, "availability_quarters", new Date(fromMs), new Date(toMs))).map(
        (row) => row.component,
      ),
    );
    const sets = new Map<string, store.AvailabilityQuarter>();
    for (const span of spans) {
      const from = Math.max(span.fromMs, fromMs, firstMs);
      const to = Math.min(span.toMs, toMs);
      for (const component of span.components.length > 0 ? span.components : known)
        for (let atMs = Math.ceil(from / MINUTE_MS) * MINUTE_MS; atMs + MINUTE_MS <= to; atMs += MINUTE_MS) {
          const starts_at = new Date(startOf(atMs, "quarter"));
          const key = `${+starts_at} ${component}`;
          const row = sets.get(key) ?? { starts_at, component, up: 0, degraded: 0, down: 0, maintenance: 0 };
          sets.set(key, { ...row, maintenance: row.maintenance | bitOf(atMs) });
        }
    }
    await store.addMinutes(database.db, [...sets.values()]);
  }

  jobs.define("sla-roll-up", rollUp, { cron: CRON });
  return rollUp;
}
