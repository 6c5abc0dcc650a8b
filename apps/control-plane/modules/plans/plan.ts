import type { OwnPlan, Plan as PlanView } from "@securewave/contracts";
import type { Tables } from "@securewave/database";
import type { Selectable } from "kysely";

export type Plan = Selectable<Tables["plans"]>;

/** How fast each device of a plan may be, in each direction; nodes know the plan by its number. */
export interface TierSpeed {
  readonly tier: number;
  readonly kbit_per_second: number;
}

export function ownViewOf(plan: Plan): OwnPlan {
  const { name, quota_bytes, on_quota, throttle_kbit_per_second, speed_kbit_per_second } = plan;
  const { connections_max, devices_max, server_tags } = plan;
  return {
    name,
    quota_bytes,
    on_quota,
    throttle_kbit_per_second,
    speed_kbit_per_second,
    connections_max,
    devices_max,
    server_tags,
  };
}

export function viewOf(plan: Plan & { readonly is_used: boolean }): PlanView {
  const { id, is_default, is_retired, is_used } = plan;
  return { id, ...ownViewOf(plan), is_default, is_retired, is_used };
}
