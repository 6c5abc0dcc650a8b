import { type Static, Type } from "typebox";
import { accountErrors } from "./accounts.ts";
import { defineRoute } from "./route.ts";
import { Day, IdParams, Nullable, OneOf, Strict } from "./schemas.ts";

const Month = Type.String({ pattern: "^\\d{4}-\\d{2}$", description: "Calendar month in UTC: `2026-11`" });

export const UsageLevel = OneOf(["below", "warned", "reached"]);
export type UsageLevel = Static<typeof UsageLevel>;

const Percent = Nullable(
  Type.Integer({ minimum: 0, description: "Of the quota, rounded down, above 100 too; null without one" }),
);
const Restriction = OneOf(["none", "throttled", "blocked"]);

const ofMonth = { month: Month, level: UsageLevel, restriction: Restriction, resets_on: Day };

/** From memory; what is kept of it is one sealed total of the month. */
export const Usage = Strict({
  ...ofMonth,
  used_bytes: Type.Integer({ minimum: 0, description: "Both directions together" }),
  quota_bytes: Nullable(Type.Integer({ minimum: 0 })),
  percent: Percent,
  throttle_kbit_per_second: Nullable(
    Type.Integer({ description: "While throttled: the speed of each device, in each direction" }),
  ),
});
export type Usage = Static<typeof Usage>;

/** What staff see of somebody's usage: the month's total, coarse. */
export const UsageForStaff = Strict({
  ...ofMonth,
  used_gib: Type.Integer({ minimum: 0, description: "Rounded to whole GiB" }),
  quota_gib: Nullable(Type.Integer({ minimum: 0 })),
});
export type UsageForStaff = Static<typeof UsageForStaff>;

export const usage = {
  own: defineRoute({
    method: "GET",
    path: "/api/account/usage",
    access: "account",
    scope: "account:read",
    tag: "usage",
    summary: "Shows one's own use of this month, and what comes of it",
    success: { status: 200, schema: Usage },
    errors: [],
  }),
  ofAccount: defineRoute({
    method: "GET",
    path: "/api/admin/accounts/{id}/usage",
    access: "staff",
    scope: "accounts:read",
    tag: "usage",
    summary: "Shows an account's use of this month in whole GiB; that somebody looked is recorded",
    params: IdParams("account"),
    success: { status: 200, schema: UsageForStaff },
    errors: [accountErrors.notFound],
  }),
};
