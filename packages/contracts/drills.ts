import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import { Day, Id, IdParams, Nullable, OneOf, pagesOf, Strict } from "./schemas.ts";

export const drillErrors = defineErrors("drills", {
  notFound: { status: 404, message: "There is no such report of a drill." },
});

/** What can be drilled. */
export const SCENARIOS = [
  "database-corruption",
  "region-outage",
  "breach",
  "node-loss",
  "redis-loss",
  "backup-verify",
  "failover",
] as const;
export type Scenario = (typeof SCENARIOS)[number];

const Seconds = Type.Number({ minimum: 0, maximum: 10_000_000 });
const Text = Type.String({ maxLength: 300, pattern: "^[^\\p{C}]*$" });

/** Of a thing that must come back: how long that may take, and how much of what was acknowledged may be lost. */
const Target = Strict({
  name: Text,
  rto_seconds: Nullable(Seconds),
  rpo_seconds: Nullable(Seconds),
});

/** What a drill did, and what it measured. */
export const DrillReport = Strict({
  scenario: OneOf(SCENARIOS),
  outcome: OneOf(["met", "missed", "failed"]),
  version: Type.String({ maxLength: 40 }),
  target: Target,
  rto_seconds: Type.Number({
    minimum: 0,
    maximum: 10_000_000,
    description: "From the fault to the first write that was acknowledged after it",
  }),
  rpo_seconds: Type.Number({
    minimum: 0,
    maximum: 10_000_000,
    description: "Age, at the fault, of the oldest acknowledged write that was lost",
  }),
  writes: Strict({
    acknowledged: Type.Integer({ minimum: 0 }),
    lost: Type.Integer({ minimum: 0 }),
  }),
  timeline: Type.Array(Strict({ at_seconds: Seconds, what: Text }), { minItems: 1, maxItems: 100 }),
  checks: Type.Array(Strict({ what: Text, is_met: Type.Boolean() }), { maxItems: 100 }),
});
export type DrillReport = Static<typeof DrillReport>;

export const DrillSummary = Strict({
  id: Id("drill"),
  number: Type.Integer({ minimum: 1 }),
  carried_out_on: Day,
  scenario: OneOf(SCENARIOS),
  outcome: OneOf(["met", "missed", "failed"]),
  rto_seconds: Seconds,
  rpo_seconds: Seconds,
});
export type DrillSummary = Static<typeof DrillSummary>;

export const DrillRecord = Strict({
  ...DrillSummary.properties,
  report: DrillReport,
  note: Type.String({ description: "The report as a C2SP signed note" }),
  verifier_key: Type.String({ description: "C2SP verifier key: `name+hash+key`" }),
});
export type DrillRecord = Static<typeof DrillRecord>;

export const drills = {
  list: defineRoute({
    method: "GET",
    path: "/api/admin/drills",
    access: "staff",
    scope: "fleet:read",
    tag: "drills",
    summary: "Lists what drills measured, the newest first",
    ...pagesOf(DrillSummary, { scenario: Type.Optional(OneOf(SCENARIOS)) }),
    errors: [],
  }),
  show: defineRoute({
    method: "GET",
    path: "/api/admin/drills/{id}",
    access: "staff",
    scope: "fleet:read",
    tag: "drills",
    summary: "Shows a drill from its beginning to its end, with the service's signature",
    params: IdParams("drill"),
    success: { status: 200, schema: DrillRecord },
    errors: [drillErrors.notFound],
  }),
  record: defineRoute({
    method: "POST",
    path: "/api/admin/drills",
    access: "staff",
    scope: "fleet:write",
    tag: "drills",
    summary: "Takes the report of a drill that was carried out elsewhere, and signs it",
    body: DrillReport,
    success: { status: 201, schema: DrillRecord },
    errors: [],
  }),
};
