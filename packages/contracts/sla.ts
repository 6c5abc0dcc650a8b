import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import { Day, Nullable, OneOf, Strict } from "./schemas.ts";

const Count = Type.Integer({ minimum: 0 });
const Share = Type.Number({ minimum: 0, maximum: 1 });
const Milliseconds = Type.Number({ minimum: 0 });

export const Month = Type.String({ pattern: "^20\\d{2}-(0[1-9]|1[0-2])$", description: "`2026-11`, in UTC" });

/** How the minutes of a span were. Together they are the minutes that were over, from the first measured one on. */
export const ServiceMinutes = Strict({
  up: Count,
  degraded: Count,
  down: Count,
  maintenance: { ...Count, description: "Announced a day ahead; they count neither way" },
  unknown: { ...Count, description: "Nobody measured; never counted as up" },
});
export type ServiceMinutes = Static<typeof ServiceMinutes>;

const Availability = Nullable({ ...Share, description: "Of the minutes that were measured" });
const AvailabilityAtLeast = Nullable({ ...Share, description: "If nothing worked in the unknown minutes" });

const figures = {
  mean_ms: Nullable({
    ...Milliseconds,
    description: "Mean time of an answer; null where there were too few requests",
  }),
  p95_ms: Nullable({
    ...Milliseconds,
    description: "95 of 100 requests were answered within, in the worst quarter of an hour",
  }),
  error_share: Nullable({ ...Share, description: "Share of requests that failed" }),
  probe_ms: Nullable({ ...Milliseconds, description: "Mean time of the service's own requests to itself" }),
  query_ms: Nullable(Milliseconds),
  processor: Nullable(Share),
  memory: Nullable(Share),
};

export const SLA_FIGURES = [
  "availability",
  "error_share",
  "mean_ms",
  "p95_ms",
  "query_ms",
  "processor",
  "memory",
] as const;

export const SlaFigure = Strict({
  name: OneOf(SLA_FIGURES),
  value: Nullable(Type.Number()),
  target: Type.Number(),
  alert: Type.Number({ description: "From here on it is an alarm" }),
  state: OneOf(["met", "missed", "alarming", "unknown"]),
});
export type SlaFigure = Static<typeof SlaFigure>;

export const SlaMonth = Strict({
  month: Month,
  months: Type.Array(Month, { description: "Those of which something was measured, the newest first" }),
  measured_since: Nullable(Day),
  components: Type.Array(
    Strict({
      component: Type.String(),
      name: Type.String(),
      minutes: ServiceMinutes,
      availability: Availability,
      availability_at_least: AvailabilityAtLeast,
    }),
  ),
  budget: Strict({
    minutes: Type.Number({ description: "How long the API may be down in the whole month" }),
    spent_minutes: Count,
    unknown_minutes: { ...Count, description: "May have been spent: nobody measured" },
    left: Nullable(
      Type.Number({
        description: "Share of it that is left; below 0 it is overdrawn; null where nothing was measured",
      }),
    ),
  }),
  figures: Type.Array(SlaFigure),
  days: Type.Array(Strict({ day: Day, minutes: ServiceMinutes, availability: Availability, ...figures }), {
    description: "Minutes are those of the API",
  }),
});
export type SlaMonth = Static<typeof SlaMonth>;

export const SlaSeries = Strict({
  items: Type.Array(
    Strict({
      starts_at: Type.String({ format: "date-time" }),
      minutes: ServiceMinutes,
      availability: Availability,
      ...figures,
    }),
  ),
});
export type SlaSeries = Static<typeof SlaSeries>;

export const sla = {
  month: defineRoute({
    method: "GET",
    path: "/api/admin/sla",
    access: "staff",
    scope: "fleet:read",
    tag: "sla",
    summary: "Shows how well the service was in a month, and what is left of its error budget",
    query: Strict({ month: Type.Optional(Month) }),
    success: { status: 200, schema: SlaMonth },
    errors: [],
  }),
  series: defineRoute({
    method: "GET",
    path: "/api/admin/sla/series",
    access: "staff",
    scope: "fleet:read",
    tag: "sla",
    summary: "Shows the last two days by quarters of an hour, or the last month by hours",
    query: Strict({ period: Type.Optional(OneOf(["quarter", "hour"], { default: "quarter" })) }),
    success: { status: 200, schema: SlaSeries },
    errors: [],
  }),
};
