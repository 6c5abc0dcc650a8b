import type { ServiceMinutes, SlaMonth, SlaSeries } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, DAY_MS, dayOf, MINUTE_MS } from "@securewave/foundation";
import type { Jobs } from "@securewave/jobs";
import type { Telemetry } from "../../http/telemetry.ts";
import { inOrder, nameOf } from "./components.ts";
import { budgetOf, figuresOf, viewOf } from "./figures.ts";
import {
  addMinutes,
  availabilityAtLeast,
  availabilityOf,
  bitOf,
  countMinutes,
  type Found,
  lastFound,
  NO_MINUTES,
  QUARTER_MS,
  SPAN_MS,
  type Span,
  startOf,
  withUnknown,
} from "./minutes.ts";
import { combine, type Performance } from "./performance.ts";
import * as store from "./store.ts";

/** Maintenance that was announced in time. */
export interface AnnouncedSpan {
  readonly fromMs: number;
  readonly toMs: number;
  /** None: all. */
  readonly components: readonly string[];
}

export interface SlaOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly jobs: Pick<Jobs, "define">;
  readonly telemetry: Pick<Telemetry, "gauge">;
  readonly announced: (fromMs: number, toMs: number) => Promise<readonly AnnouncedSpan[]>;
}

export type Sla = ReturnType<typeof createSla>;

const ROLL_UP_CRON = "2,17,32,47 * * * *";
/** Summed up again each time: what a process could not write while the store was away comes within a day. */
const REWRITTEN_DAYS = 2;
const KEPT_DAYS = { quarters: 8, hours: 100, days: 5 * 366 };
/** A minute is written in its middle, and that takes a while. */
const UNSETTLED_MS = 2 * MINUTE_MS;
const SERIES_SPANS = { quarter: 2 * DAY_MS, hour: 31 * DAY_MS } as const;
/** What was found so long ago says nothing of this moment. */
const FRESH_MS = 3 * MINUTE_MS;
const GAUGE_FRESH_MS = 60_000;

/** The minutes and figures of one span of time. */
interface Slice {
  readonly startsMs: number;
  readonly byComponent: ReadonlyMap<string, ServiceMinutes>;
  readonly performance: Performance;
}

/** Holds how the service was against what it promises. */
export function createSla({ database, clock, jobs, telemetry, announced }: SlaOptions) {
  const { db } = database;

  /** What is still kept minute by minute, by hours or days. */
  async function fromQuarters(fromMs: number, toMs: number, span: Span): Promise<Map<number, Slice>> {
    const bounds = [new Date(fromMs), new Date(toMs)] as const;
    const [sets, performances] = await Promise.all([
      store.listQuarters(db, ...bounds),
      store.listPerformanceQuarters(db, ...bounds),
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
      store.listPeriods(db, ...bounds),
      store.listPerformancePeriods(db, ...bounds),
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
    const rewrittenFromMs = startOf(clock.now() - REWRITTEN_DAYS * DAY_MS, "day");
    const borderMs = span === "quarter" ? fromMs : Math.min(toMs, Math.max(fromMs, rewrittenFromMs));
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

  /** How many minutes of a span are over, from the first measured one on. */
  function elapsed(startsMs: number, endsMs: number, firstMs: number | undefined): number {
    if (firstMs === undefined) return 0;
    const from = Math.max(startsMs, firstMs);
    const to = Math.min(endsMs, Math.floor((clock.now() - UNSETTLED_MS) / MINUTE_MS) * MINUTE_MS);
    return Math.max(0, (to - from) / MINUTE_MS);
  }

  function minutesOf(
    slice: Slice,
    span: Span,
    component: string,
    firstMs: number | undefined,
  ): ServiceMinutes {
    const { startsMs, byComponent } = slice;
    const counted = byComponent.get(component) ?? NO_MINUTES;
    return withUnknown(counted, elapsed(startsMs, startsMs + SPAN_MS[span], firstMs));
  }

  async function month(asked?: string): Promise<SlaMonth> {
    const nowMonth = dayOf(clock.now()).slice(0, 7);
    const month = asked ?? nowMonth;
    const [fromMs, toMs] = boundsOf(month);
    const firstMs = await sinceMs();
    const all = await slices(fromMs, Math.max(fromMs, Math.min(toMs, clock.now())), "day");
    const components = inOrder(["api", ...all.flatMap(({ byComponent }) => [...byComponent.keys()])]);
    const listed = components.map((component) => {
      // A part that came later, such as a region, is not unknown for the time before.
      const begins = all.findIndex(({ byComponent }) => byComponent.has(component));
      const own = component === "api" || begins === -1 ? all : all.slice(begins);
      const minutes = addMinutes(own.map((slice) => minutesOf(slice, "day", component, firstMs)));
      return {
        component,
        name: nameOf(component),
        minutes,
        availability: availabilityOf(minutes),
        availability_at_least: availabilityAtLeast(minutes),
      };
    });
    const api = listed[0]?.minutes ?? NO_MINUTES;
    return {
      month,
      months: firstMs === undefined ? [nowMonth] : monthsBetween(firstMs, clock.now()),
      measured_since: firstMs === undefined ? null : dayOf(firstMs),
      components: listed,
      budget: budgetOf(api, (toMs - fromMs) / MINUTE_MS),
      figures: figuresOf(api, combine(all.map(({ performance }) => performance))),
      days: all.map((slice) => {
        const minutes = minutesOf(slice, "day", "api", firstMs);
        return {
          day: dayOf(slice.startsMs),
          minutes,
          availability: availabilityOf(minutes),
          ...viewOf(slice.performance),
        };
      }),
    };
  }

  /** Writes hours and days anew from the quarters of the last two days, and deletes what is too old. */
  async function rollUp(): Promise<void> {
    const nowMs = clock.now();
    const fromMs = startOf(nowMs - REWRITTEN_DAYS * DAY_MS, "day");
    await markAnnounced(fromMs, nowMs);
    for (const period of ["hour", "day"] as const) {
      const known = [...(await fromQuarters(fromMs, nowMs, period)).values()];
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
    const firstMs = await sinceMs();
    const spans = await announced(fromMs, toMs);
    if (firstMs === undefined || spans.length === 0) return;
    const known = inOrder(
      (await store.listQuarters(db, new Date(fromMs), new Date(toMs))).map((row) => row.component),
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
    await store.addMinutes(db, [...sets.values()]);
  }

  let gauged: { readonly value: Promise<SlaMonth>; readonly untilMs: number } | undefined;
  function monthForGauges(): Promise<SlaMonth> {
    if (gauged === undefined || gauged.untilMs < performance.now())
      gauged = { value: month(), untilMs: performance.now() + GAUGE_FRESH_MS };
    gauged.value.catch(() => {
      gauged = undefined;
    });
    return gauged.value;
  }
  telemetry.gauge(
    "securewave_sla_availability",
    "Share of this month's measured minutes in which the API worked",
    async () => (await monthForGauges()).components[0]?.availability ?? Number.NaN,
  );
  telemetry.gauge(
    "securewave_sla_budget_left",
    "Share of this month's error budget that is left; below 0 it is overdrawn",
    async () => (await monthForGauges()).budget.left ?? Number.NaN,
  );
  jobs.define("sla-roll-up", rollUp, { cron: ROLL_UP_CRON });

  return {
    month,
    rollUp,

    async series(period: "quarter" | "hour"): Promise<SlaSeries> {
      const firstMs = await sinceMs();
      const toMs = clock.now();
      const all = await slices(startOf(toMs - SERIES_SPANS[period], period), toMs, period);
      return {
        items: all.map((slice) => {
          const minutes = minutesOf(slice, period, "api", firstMs);
          return {
            starts_at: new Date(slice.startsMs).toISOString(),
            minutes,
            availability: availabilityOf(minutes),
            ...viewOf(slice.performance),
          };
        }),
      };
    },

    /** Each part's days, the oldest first and today last. */
    async days(
      count: number,
    ): Promise<ReadonlyMap<string, readonly { day: string; minutes: ServiceMinutes }[]>> {
      const firstMs = await sinceMs();
      const all = await slices(startOf(clock.now() - (count - 1) * DAY_MS, "day"), clock.now(), "day");
      const components = inOrder(["api", ...all.flatMap(({ byComponent }) => [...byComponent.keys()])]);
      return new Map(
        components.map((component) => [
          component,
          all.map((slice) => ({
            day: dayOf(slice.startsMs),
            minutes: minutesOf(slice, "day", component, firstMs),
          })),
        ]),
      );
    },

    /** How each part was found last, within the last minutes. */
    async latest(): Promise<{
      readonly atMs: number | undefined;
      readonly found: ReadonlyMap<string, Found>;
    }> {
      const nowMs = clock.now();
      const rows = await store.listQuarters(db, new Date(nowMs - FRESH_MS - QUARTER_MS), new Date(nowMs));
      const found = new Map<string, Found>();
      let latestMs: number | undefined;
      for (const row of rows) {
        const last = lastFound(row);
        const atMs = last && +row.starts_at + last.minute * MINUTE_MS;
        if (last === undefined || atMs === undefined || atMs < nowMs - FRESH_MS) continue;
        found.set(row.component, last.found); // of rows in the order of time, so the later one stays
        latestMs = Math.max(latestMs ?? 0, atMs);
      }
      return { atMs: latestMs, found };
    },
  };
}

function boundsOf(month: string): [fromMs: number, toMs: number] {
  const [year = 0, number = 1] = month.split("-").map(Number);
  return [Date.UTC(year, number - 1, 1), Date.UTC(year, number, 1)];
}

function monthsBetween(firstMs: number, lastMs: number): string[] {
  const months: string[] = [];
  for (let at = new Date(lastMs); ; at = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 0))) {
    const month = dayOf(+at).slice(0, 7);
    months.push(month);
    if (month <= dayOf(firstMs).slice(0, 7) || months.length > 1200) return months;
  }
}
