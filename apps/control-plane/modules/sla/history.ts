import type { ServiceMinutes } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, DAY_MS, MINUTE_MS } from "@securewave/foundation";
import { addMinutes, countMinutes, NO_MINUTES, SPAN_MS, type Span, startOf } from "./minutes.ts";
import { combine, type Performance } from "./performance.ts";
import * as store from "./store.ts";

export type History = ReturnType<typeof createHistory>;

/** Summed up again each time: what a process could not write while the store was away comes within a day. */
const REWRITTEN_DAYS = 2;

/** The minutes and figures of one span of time. */
export interface Slice {
  readonly startsMs: number;
  readonly byComponent: ReadonlyMap<string, ServiceMinutes>;
  readonly performance: Performance;
}

/** From when on hours and days are summed up from quarters, and what is kept of them may be incomplete. */
export function rewrittenFromMs(nowMs: number): number {
  return startOf(nowMs - REWRITTEN_DAYS * DAY_MS, "day");
}

/** What was measured, by spans of time. */
export function createHistory({ db }: Pick<Database, "db">, clock: Clock) {
  /** What is still kept minute by minute, by hours or days. */
  async function fromQuarters(fromMs: number, toMs: number, span: Span): Promise<Map<number, Slice>> {
    const bounds = [new Date(fromMs), new Date(toMs)] as const;
    const [sets, performances] = await Promise.all([
      store.listQuarters(db, "availability_quarters", ...bounds),
      store.listQuarters(db, "performance_quarters", ...bounds),
    ]);
    interface Gathered {
      readonly minutes: Map<string, ServiceMinutes>;
      readonly performances: Performance[];
    }
    const slices = new Map<number, Gathered>();
    const sliceAt = (startsAt: Date) => {
      const starts = startOf(+startsAt, span);
      const slice: Gathered = slices.get(starts) ?? { minutes: new Map(), performances: [] };
      slices.set(starts, slice);
      return slice;
    };
    for (const row of sets) {
      const { minutes } = sliceAt(row.starts_at);
      minutes.set(row.component, addMinutes([minutes.get(row.component) ?? NO_MINUTES, countMinutes(row)]));
    }
    for (const row of performances) sliceAt(row.starts_at).performances.push(row);
    return new Map(
      [...slices].map(([startsMs, slice]) => [
        startsMs,
        { startsMs, byComponent: slice.minutes, performance: combine(slice.performances) },
      ]),
    );
  }

  async function fromPeriods(
    fromMs: number,
    toMs: number,
    period: "hour" | "day",
  ): Promise<Map<number, Slice>> {
    const bounds = [period, new Date(fromMs), new Date(toMs)] as const;
    const [availability, performances] = await Promise.all([
      store.listPeriods(db, "availability_periods", ...bounds),
      store.listPeriods(db, "performance_periods", ...bounds),
    ]);
    const slices = new Map<number, Slice & { byComponent: Map<string, ServiceMinutes> }>();
    const performanceAt = new Map(performances.map((row) => [+row.starts_at, row]));
    for (const startsMs of new Set([...availability, ...performances].map(({ starts_at }) => +starts_at)))
      slices.set(startsMs, {
        startsMs,
        byComponent: new Map(),
        performance: performanceAt.get(startsMs) ?? combine([]),
      });
    for (const row of availability)
      slices.get(+row.starts_at)?.byComponent.set(row.component, {
        up: row.up_minutes,
        degraded: row.degraded_minutes,
        down: row.down_minutes,
        maintenance: row.maintenance_minutes,
        unknown: 0,
      });
    return slices;
  }

  /** One slice for each span from the first to the last, also where nothing is known. */
  async function slices(fromMs: number, toMs: number, span: Span): Promise<Slice[]> {
    const borderMs =
      span === "quarter" ? fromMs : Math.min(toMs, Math.max(fromMs, rewrittenFromMs(clock.now())));
    const known = new Map([
      ...(span === "quarter" ? [] : await fromPeriods(fromMs, borderMs, span)),
      ...(await fromQuarters(borderMs, toMs, span)),
    ]);
    const all: Slice[] = [];
    for (let startsMs = startOf(fromMs, span); startsMs < toMs; startsMs += SPAN_MS[span])
      all.push(known.get(startsMs) ?? { startsMs, byComponent: new Map(), performance: combine([]) });
    return all;
  }

  /** The first minute that was ever measured. */
  async function sinceMs(): Promise<number | undefined> {
    const rows = await store.firstQuarters(db);
    const [first] = rows;
    if (first === undefined) return undefined;
    const sets = rows.reduce((all, row) => all | row.up | row.degraded | row.down, 0);
    const minute = sets === 0 ? 0 : 31 - Math.clz32(sets & -sets);
    return +first.starts_at + minute * MINUTE_MS;
  }

  return { fromQuarters, slices, sinceMs };
}
