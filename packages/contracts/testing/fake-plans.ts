import { createId } from "@securewave/foundation";
import { type Plan, planErrors } from "../plans.ts";
import type { Usage, UsageForStaff } from "../usage.ts";
import { type FakeCall, matching, pageOf } from "./fake-call.ts";

const GIB = 2 ** 30;

export interface FakePlans {
  readonly plans: Plan[];
  /** By account; the others have the default. */
  readonly assigned: Map<string, string>;
  /** By everybody, each. */
  usedBytes: number;
  readonly add: (name: string, more?: Partial<Plan>) => Plan;
}

/** Plans of a service, and what is used of them: one plan at first, which everybody has. */
export function createFakePlans(): FakePlans {
  const plans: Plan[] = [];
  const add = (name: string, more: Partial<Plan> = {}): Plan => {
    const plan: Plan = {
      id: createId("plan"),
      name,
      quota_bytes: null,
      on_quota: "throttle",
      throttle_kbit_per_second: 1000,
      speed_kbit_per_second: null,
      connections_max: null,
      devices_max: null,
      server_tags: [],
      is_default: false,
      is_retired: false,
      is_used: false,
      ...more,
    };
    plans.push(plan);
    return plan;
  };
  add("Standard", { is_default: true, is_used: true });
  return { plans, assigned: new Map(), usedBytes: 0, add };
}

export function planOf({ plans, assigned }: FakePlans, accountId: unknown): Plan {
  const id = assigned.get(String(accountId));
  const plan = plans.find((each) => (id === undefined ? each.is_default : each.id === id));
  if (!plan) throw planErrors.notFound();
  return plan;
}

export function planHandlers(state: FakePlans) {
  const { plans, assigned, add } = state;
  const find = (id: unknown): Plan => {
    const plan = plans.find((each) => each.id === id);
    if (!plan) throw planErrors.notFound();
    return plan;
  };
  const usageOf = (accountId: unknown): Usage => {
    const { quota_bytes, on_quota, throttle_kbit_per_second } = planOf(state, accountId);
    const percent = quota_bytes === null ? null : Math.floor((100 * state.usedBytes) / quota_bytes);
    const level = percent === null || percent < 80 ? "below" : percent < 100 ? "warned" : "reached";
    const atQuota = on_quota === "block" ? "blocked" : "throttled";
    const restriction = level === "reached" ? atQuota : "none";
    return {
      month: "2026-11",
      used_bytes: state.usedBytes,
      quota_bytes,
      percent,
      level,
      restriction,
      throttle_kbit_per_second: restriction === "throttled" ? throttle_kbit_per_second : null,
      resets_on: "2026-12-01",
    };
  };
  return {
    "plans.list": ({ query }: FakeCall) => {
      const found = matching(plans, query, ({ name }) => name);
      return pageOf(
        found.toSorted((one, other) => one.name.localeCompare(other.name)),
        query,
      );
    },
    "plans.show": ({ params }: FakeCall) => find(params.id),
    "plans.own": ({ accountId }: FakeCall) => {
      const { id: _, is_default: __, is_retired: ___, is_used: ____, ...own } = planOf(state, accountId);
      return own;
    },
    "plans.create": ({ body: { name, ...more } }: FakeCall) => {
      if (plans.some((plan) => plan.name === name)) throw planErrors.nameInUse();
      return add(String(name), more);
    },
    "plans.change": ({ params, body }: FakeCall) => {
      const plan = find(params.id);
      if (body.is_default) for (const other of plans) Object.assign(other, { is_default: false });
      return Object.assign(plan, body);
    },
    "plans.remove": ({ params }: FakeCall) => {
      const plan = find(params.id);
      if (plan.is_used) throw planErrors.inUse();
      plans.splice(plans.indexOf(plan), 1);
      return null;
    },
    "plans.ofAccount": ({ params }: FakeCall) => planOf(state, params.id),
    "plans.assign": ({ params, body }: FakeCall) => {
      const plan = find(body.plan_id);
      assigned.set(String(params.id), plan.id);
      return Object.assign(plan, { is_used: true });
    },
    "usage.own": ({ accountId }: FakeCall) => usageOf(accountId),
    "usage.ofAccount": ({ params }: FakeCall): UsageForStaff => {
      const { month, used_bytes, quota_bytes, level, restriction, resets_on } = usageOf(params.id);
      const quota_gib = quota_bytes === null ? null : Math.round(quota_bytes / GIB);
      return { month, used_gib: Math.round(used_bytes / GIB), quota_gib, level, restriction, resets_on };
    },
  };
}
