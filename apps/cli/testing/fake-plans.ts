import { type Plan, planErrors } from "@securewave/contracts";
import { createId, type Refusal } from "@securewave/foundation";
import type { Input } from "./fake-input.ts";

export interface FakePlans {
  readonly plans: Plan[];
  /** By account; the others have the default. */
  readonly assigned: Map<string, string>;
  usedBytes: number;
}

export function createFakePlans(): FakePlans {
  const basic = {
    ...fakePlan("Basic"),
    quota_bytes: 200e9,
    connections_max: 3,
    throttle_kbit_per_second: 2000,
  };
  return {
    plans: [basic, { ...fakePlan("Standard"), is_default: true, is_used: true }],
    assigned: new Map(),
    usedBytes: 0,
  };
}

export function fakePlan(name: string): Plan {
  return {
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
  };
}

export function planHandlers(state: FakePlans, ownerOf: (token: string) => string) {
  const { plans, assigned } = state;
  const find = (id: unknown, refusal: Refusal = planErrors.notFound): Plan => {
    const plan = plans.find((each) => each.id === id);
    if (!plan) throw refusal();
    return plan;
  };
  const planOf = (accountId: unknown) => {
    const id = assigned.get(String(accountId));
    return plans.find((plan) => (id === undefined ? plan.is_default : plan.id === id)) ?? find(id);
  };
  const usageOf = (accountId: string) => {
    const { quota_bytes, throttle_kbit_per_second } = planOf(accountId);
    const isReached = quota_bytes !== null && state.usedBytes >= quota_bytes;
    return {
      month: "2026-11",
      used_bytes: state.usedBytes,
      quota_bytes,
      percent: quota_bytes === null ? null : Math.floor((100 * state.usedBytes) / quota_bytes),
      level: isReached ? "reached" : "below",
      restriction: isReached ? "throttled" : "none",
      throttle_kbit_per_second: isReached ? throttle_kbit_per_second : null,
      resets_on: "2026-12-01",
    };
  };
  return {
    "plans.list": ({ query }: Input) => {
      const wanted = String(query.search ?? "").toLowerCase();
      return { items: plans.filter(({ name }) => name.toLowerCase().includes(wanted)), next_cursor: null };
    },
    "plans.show": ({ params }: Input) => find(params.id),
    "plans.own": ({ token }: Input) => {
      const { id: _, is_default: __, is_retired: ___, is_used: ____, ...own } = planOf(ownerOf(token));
      return own;
    },
    "plans.create": ({ body }: Input) => {
      const plan = { ...fakePlan(String(body.name)), ...body };
      plans.push(plan);
      return plan;
    },
    "plans.change": ({ params, body }: Input) => {
      if (body.is_default) for (const plan of plans) Object.assign(plan, { is_default: false });
      return Object.assign(find(params.id), body);
    },
    "plans.remove": ({ params }: Input) => {
      const plan = find(params.id);
      if (plan.is_used) throw planErrors.inUse();
      plans.splice(plans.indexOf(plan), 1);
      return null;
    },
    "plans.ofAccount": ({ params }: Input) => planOf(params.id),
    "plans.assign": ({ params, body }: Input) => {
      assigned.set(String(params.id), find(body.plan_id).id);
      return planOf(params.id);
    },
    "usage.own": ({ token }: Input) => usageOf(ownerOf(token)),
    "usage.ofAccount": ({ params }: Input) => {
      const {
        used_bytes,
        quota_bytes,
        percent: _,
        throttle_kbit_per_second: __,
        ...rest
      } = usageOf(String(params.id));
      const gib = (bytes: number) => Math.round(bytes / 2 ** 30);
      return {
        ...rest,
        used_gib: gib(used_bytes),
        quota_gib: quota_bytes === null ? null : gib(quota_bytes),
      };
    },
  };
}
