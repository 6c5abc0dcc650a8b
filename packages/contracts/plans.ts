import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { accountErrors } from "./accounts.ts";
import { defineRoute } from "./route.ts";
import {
  HumanText,
  Id,
  IdParams,
  Nothing,
  Nullable,
  OneOf,
  pagesOf,
  SearchQuery,
  Strict,
  Tags,
} from "./schemas.ts";

export const planErrors = defineErrors("plans", {
  notFound: { status: 404, message: "There is no such plan." },
  nameInUse: { status: 409, message: "A plan of this name exists already." },
  inUse: { status: 409, message: "Accounts have this plan. Give them another one, or retire it." },
  isDefault: {
    status: 409,
    message: "New accounts get this plan. Make another one the default first.",
  },
  retired: { status: 409, message: "This plan is retired: nobody new gets it." },
});

/** 1 PiB; four times as much still counts exactly in a double. */
const QUOTA_BYTES_MAX = 2 ** 50;
/** 40 Gbit/s: faster than any tunnel. */
const KBIT_PER_SECOND_MAX = 40_000_000;

const limits = {
  quota_bytes: Nullable(
    Type.Integer({
      minimum: 2 ** 20,
      maximum: QUOTA_BYTES_MAX,
      description: "Bytes a calendar month (UTC), both directions together; null: no limit",
    }),
  ),
  on_quota: OneOf(["throttle", "block"]),
  throttle_kbit_per_second: Type.Integer({
    minimum: 64,
    maximum: KBIT_PER_SECOND_MAX,
    description: "The fair-use speed of each device in each direction",
  }),
  speed_kbit_per_second: Nullable(
    Type.Integer({
      minimum: 64,
      maximum: KBIT_PER_SECOND_MAX,
      description: "The speed of each device in each direction; null: no limit",
    }),
  ),
  connections_max: Nullable(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: "Devices connected at the same time; null: no limit",
    }),
  ),
  devices_max: Nullable(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: "Active devices; null: as the service's settings say",
    }),
  ),
};

/** What a plan allows, as its customers see it. */
export const OwnPlan = Strict({ name: HumanText(60), ...limits, server_tags: Tags });
export type OwnPlan = Static<typeof OwnPlan>;

export const Plan = Strict({
  id: Id("plan"),
  ...OwnPlan.properties,
  is_default: Type.Boolean({ description: "Every new account gets it; one plan is the default" }),
  is_retired: Type.Boolean({ description: "Nobody new gets it; who has it keeps it" }),
  is_used: Type.Boolean({ description: "Accounts have it, so it cannot be removed" }),
});
export type Plan = Static<typeof Plan>;

const NewPlan = Strict({
  name: OwnPlan.properties.name,
  quota_bytes: Type.Optional(limits.quota_bytes),
  on_quota: Type.Optional(limits.on_quota),
  speed_kbit_per_second: Type.Optional(limits.speed_kbit_per_second),
  throttle_kbit_per_second: Type.Optional(limits.throttle_kbit_per_second),
  connections_max: Type.Optional(limits.connections_max),
  devices_max: Type.Optional(limits.devices_max),
  server_tags: Type.Optional(OwnPlan.properties.server_tags),
});

const PlanChange = Strict(
  {
    ...NewPlan.properties,
    name: Type.Optional(OwnPlan.properties.name),
    is_default: Type.Optional(Type.Boolean()),
    is_retired: Type.Optional(Type.Boolean()),
  },
  { minProperties: 1 },
);

export const plans = {
  own: defineRoute({
    method: "GET",
    path: "/api/account/plan",
    access: "account",
    scope: "account:read",
    tag: "plans",
    summary: "Shows what one's own plan allows",
    success: { status: 200, schema: OwnPlan },
    errors: [],
  }),
  list: defineRoute({
    method: "GET",
    path: "/api/admin/plans",
    access: "staff",
    scope: "accounts:read",
    tag: "plans",
    summary: "Lists plans by name",
    ...pagesOf(Plan, SearchQuery),
    errors: [],
  }),
  create: defineRoute({
    method: "POST",
    path: "/api/admin/plans",
    access: "admin",
    scope: "settings:write",
    tag: "plans",
    summary: "Adds a plan; what is left out has no limit",
    body: NewPlan,
    success: { status: 201, schema: Plan },
    errors: [planErrors.nameInUse],
  }),
  show: defineRoute({
    method: "GET",
    path: "/api/admin/plans/{id}",
    access: "staff",
    scope: "accounts:read",
    tag: "plans",
    summary: "Shows a plan",
    params: IdParams("plan"),
    success: { status: 200, schema: Plan },
    errors: [planErrors.notFound],
  }),
  change: defineRoute({
    method: "PATCH",
    path: "/api/admin/plans/{id}",
    access: "admin",
    scope: "settings:write",
    tag: "plans",
    summary: "Changes a plan, for all who have it and at once; makes it the default; retires it",
    params: IdParams("plan"),
    body: PlanChange,
    success: { status: 200, schema: Plan },
    errors: [planErrors.notFound, planErrors.nameInUse, planErrors.isDefault, planErrors.retired],
  }),
  remove: defineRoute({
    method: "DELETE",
    path: "/api/admin/plans/{id}",
    access: "admin",
    scope: "settings:write",
    tag: "plans",
    summary: "Removes a plan that no account has",
    params: IdParams("plan"),
    success: { status: 204, schema: Nothing },
    errors: [planErrors.notFound, planErrors.inUse, planErrors.isDefault],
  }),
  ofAccount: defineRoute({
    method: "GET",
    path: "/api/admin/accounts/{id}/plan",
    access: "staff",
    scope: "accounts:read",
    tag: "plans",
    summary: "Shows which plan an account has",
    params: IdParams("account"),
    success: { status: 200, schema: Plan },
    errors: [accountErrors.notFound],
  }),
  assign: defineRoute({
    method: "PUT",
    path: "/api/admin/accounts/{id}/plan",
    access: "admin",
    scope: "accounts:write",
    tag: "plans",
    summary: "Gives an account a plan; its limits hold at once",
    params: IdParams("account"),
    body: Strict({ plan_id: Id("plan") }),
    success: { status: 200, schema: Plan },
    errors: [accountErrors.notFound, planErrors.notFound, planErrors.retired],
  }),
};

/** A speed in its largest unit: `1.5 Mbit/s`. */
export function formatSpeed(kbitPerSecond: number): string {
  if (kbitPerSecond < 1000) return `${kbitPerSecond} kbit/s`;
  return kbitPerSecond < 1_000_000 ? `${kbitPerSecond / 1000} Mbit/s` : `${kbitPerSecond / 1_000_000} Gbit/s`;
}
