import type { ServiceMinutes, SlaMonth, SlaSeries } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, DAY_MS, dayOf, MINUTE_MS } from "@securewave/foundation";
import type { Telemetry } from "../../http/telemetry.ts";
import { inOrder, nameOf } from "./components.ts";
import { budgetOf, figuresOf, viewOf } from "./figures.ts";
import type { History, Slice } from "./history.ts";
import {
  addMinutes,
  availabilityAtLeast,
  availabilityOf,
  type Found,
  lastFound,
  NO_MINUTES,
  QUARTER_MS,
  SPAN_MS,
  type Span,
  startOf,
  withUnknown,
} from "./minutes.ts";
import { combine } from "./performance.ts";
import * as store from "./store.ts";

export interface SlaReportOptions {
  readonly database: Pick<Database, "db">;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "gauge">;
  readonly history: Pick<History, "slices" | "sinceMs">;
}

export type SlaReport = ReturnType<typeof createSlaReport>;

/** A minute is written in its middle, and that takes a while. */
const UNSETTLED_MS = 2 * MINUTE_MS;
const SERIES_SPANS = { quarter: 2 * DAY_MS, hour: 31 * DAY_MS } as const;
/** What was found so long ago says nothing of this moment. */
const FRESH_MS = 3 * MINUTE_MS;
const GAUGE_FRESH_MS = 60_000;

/** Tells how the service was against what it promises. */
export function createSlaReport({ database, clock, telemetry, history }: SlaReportOptions) {
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
    const firstMs = await history.sinceMs();
    const all = await history.slices(fromMs, Math.max(fromMs, Math.min(toMs, clock.now())), "day");
    const components = componentsOf(all);
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

  return {
    month,

    async series(period: "quarter" | "hour"): Promise<SlaSeries> {
      const firstMs = await history.sinceMs();
      const toMs = clock.now();
      const all = await history.slices(startOf(toMs - SERIES_SPANS[period], period), toMs, period);
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
      const firstMs = await history.sinceMs();
      const all = await history.slices(
        startOf(clock.now() - (count - 1) * DAY_MS, "day"),
        clock.now(),
        "day",
      );
      const components = componentsOf(all);
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
      const rows = await store.listQuarters(
        database.db,
        "availability_quarters",
        new Date(nowMs - FRESH_MS - QUARTER_MS),
        new Date(nowMs),
      );
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

function componentsOf(slices: readonly Slice[]): string[] {
  return inOrder(["api", ...slices.flatMap(({ byComponent }) => [...byComponent.keys()])]);
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
