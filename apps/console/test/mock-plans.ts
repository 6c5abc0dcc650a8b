import { accountErrors, type Plan, planErrors, type Usage } from "@securewave/contracts";
import { createId } from "@securewave/foundation";
import type { Call, Handler } from "./mock-call.ts";

interface MockPlansOptions {
  readonly page: <Item>(items: Item[], query: Record<string, string>) => unknown;
}

const GIB = 2 ** 30;

/** What the mock knows of plans and of what is used; `usage.usedBytes` is everybody's. */
export function createMockPlans({ page }: MockPlansOptions) {
  const plans = new Map<string, Plan>();
  const assigned = new Map<string, string>();
  const usage = { usedBytes: 0 };

  function addPlan(name: string, more: Partial<Plan> = {}): Plan {
    const plan: Plan = {
      id: createId("plan"),
      name,
      quota_bytes: null,
      on_quota: "throttle",
      throttle_kbit_per_second: 1000,
      connections_max: null,
      devices_max: null,
      is_default: false,
      is_retired: false,
      is_used: false,
      ...more,
    };
    plans.set(plan.id, plan);
    return plan;
  }
  const standard = addPlan("Standard", { is_default: true, is_used: true });

  function find(id: unknown): Plan {
    const plan = plans.get(String(id));
    if (!plan) throw planErrors.notFound();
    return plan;
  }
  const planOf = (accountId: string | undefined) =>
    plans.get(assigned.get(accountId ?? "") ?? "") ??
    [...plans.values()].find((plan) => plan.is_default) ??
    standard;

  function usageOf(accountId: string | undefined): Usage {
    const { quota_bytes, on_quota, throttle_kbit_per_second } = planOf(accountId);
    const percent = quota_bytes === null ? null : Math.floor((100 * usage.usedBytes) / quota_bytes);
    const level = percent === null || percent < 80 ? "below" : percent < 100 ? "warned" : "reached";
    const atQuota = on_quota === "block" ? "blocked" : "throttled";
    const restriction = level === "reached" ? atQuota : "none";
    return {
      month: "2026-11",
      used_bytes: usage.usedBytes,
      quota_bytes,
      percent,
      level,
      restriction,
      throttle_kbit_per_second: restriction === "throttled" ? throttle_kbit_per_second : null,
      resets_on: "2026-12-01",
    };
  }

  const handlers: Record<string, Handler> = {
    "plans.own": ({ account }: Call) => {
      const { id: _, is_default: __, is_retired: ___, is_used: ____, ...own } = planOf(account?.id);
      return own;
    },
    "plans.list": ({ query }) =>
      page(
        [...plans.values()].toSorted((a, b) => a.name.localeCompare(b.name)),
        query,
      ),
    "plans.show": ({ params }) => find(params.id),
    "plans.create": ({ body }) => {
      const { name, ...more } = body;
      if ([...plans.values()].some((plan) => plan.name === name)) throw planErrors.nameInUse();
      return addPlan(String(name), more);
    },
    "plans.change": ({ params, body }) => {
      const plan = find(params.id);
      if (body.is_default) for (const other of plans.values()) Object.assign(other, { is_default: false });
      return Object.assign(plan, body);
    },
    "plans.remove": ({ params }) => {
      const plan = find(params.id);
      if (plan.is_used) throw planErrors.inUse();
      plans.delete(plan.id);
    },
    "plans.ofAccount": ({ params }) => planOf(params.id),
    "plans.assign": ({ params, body }) => {
      if (!params.id) throw accountErrors.notFound();
      assigned.set(params.id, find(body.plan_id).id);
      return Object.assign(planOf(params.id), { is_used: true });
    },
    "usage.own": ({ account }) => usageOf(account?.id),
    "usage.ofAccount": ({ params }) => {
      const { month, used_bytes, quota_bytes, level, restriction, resets_on } = usageOf(params.id);
      const quota_gib = quota_bytes === null ? null : Math.round(quota_bytes / GIB);
      return { month, used_gib: Math.round(used_bytes / GIB), quota_gib, level, restriction, resets_on };
    },
  };
  return { handlers, addPlan, usage };
}
