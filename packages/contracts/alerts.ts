import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import { HumanText, Nothing, Nullable, OneOf, pagesOf, Strict } from "./schemas.ts";

export const alertErrors = defineErrors("alerts", {
  notFound: { status: 404, message: "There is no alert of this name. See the list of alerts." },
  notSilenced: { status: 404, message: "This alert is not silenced." },
});

const Name = Type.String({ pattern: "^[A-Za-z]{3,60}$", description: "Such as DatabaseDown" });
const Minute = Type.String({ format: "date-time", description: "To the minute" });
const Sentence = Type.String();
const Severity = OneOf(["critical", "warning"]);

export const HealthDetails = Strict({
  status: OneOf(["healthy", "degraded", "unhealthy"]),
  timestamp: Type.String({ format: "date-time" }),
  checks: Type.Array(
    Strict({
      id: Type.String(),
      title: Type.String(),
      state: OneOf(["well", "warning", "failing", "unknown"]),
      says: Sentence,
      advice: Nullable(Sentence),
      alerts: Type.Array(Name, { description: "Those whose bound is passed; they may not fire yet" }),
    }),
  ),
});
export type HealthDetails = Static<typeof HealthDetails>;

export const Alert = Strict({
  name: Name,
  severity: Severity,
  state: OneOf(["quiet", "firing"]),
  summary: Sentence,
  advice: Sentence,
  for_minutes: Type.Integer({ description: "How long it must be so before anybody is told" }),
  since: Nullable(Minute),
  silence: Nullable(Strict({ until: Minute, reason: Type.String() })),
  runbook: Type.String({ description: "Section of the runbook" }),
});
export type Alert = Static<typeof Alert>;

export const AlertEpisode = Strict({
  name: Name,
  severity: Severity,
  began_at: Minute,
  ended_at: Nullable(Minute),
});
export type AlertEpisode = Static<typeof AlertEpisode>;

/** Four weeks: what should be silent for longer is a rule to be changed. */
const SILENCE_MINUTES_MAX = 40_320;

const NameParams = Strict({ name: Name });

export const alerts = {
  health: defineRoute({
    method: "GET",
    path: "/api/health/details",
    access: "staff",
    scope: "fleet:read",
    tag: "alerts",
    summary: "Tells of each part of the service how it is, and what to do",
    success: { status: 200, schema: HealthDetails },
    errors: [],
  }),
  list: defineRoute({
    method: "GET",
    path: "/api/admin/alerts",
    access: "staff",
    scope: "fleet:read",
    tag: "alerts",
    summary: "Lists the alerts that the service watches by itself, those that fire first",
    success: {
      status: 200,
      schema: Strict({
        judged_at: Nullable(Minute),
        items: Type.Array(Alert),
      }),
    },
    errors: [],
  }),
  history: defineRoute({
    method: "GET",
    path: "/api/admin/alerts/history",
    access: "staff",
    scope: "fleet:read",
    tag: "alerts",
    summary: "Lists when alerts fired within the last 90 days, the newest first",
    ...pagesOf(AlertEpisode, {}),
    errors: [],
  }),
  silence: defineRoute({
    method: "PUT",
    path: "/api/admin/alerts/{name}/silence",
    access: "staff",
    scope: "fleet:write",
    tag: "alerts",
    summary: "Sends no mail about an alert for a while; it is still judged and shown",
    params: NameParams,
    body: Strict({
      minutes: Type.Integer({ minimum: 1, maximum: SILENCE_MINUTES_MAX }),
      reason: HumanText(200),
    }),
    success: { status: 200, schema: Alert },
    errors: [alertErrors.notFound],
  }),
  unsilence: defineRoute({
    method: "DELETE",
    path: "/api/admin/alerts/{name}/silence",
    access: "staff",
    scope: "fleet:write",
    tag: "alerts",
    summary: "Lets an alert be heard again",
    params: NameParams,
    success: { status: 204, schema: Nothing },
    errors: [alertErrors.notFound, alertErrors.notSilenced],
  }),
};
