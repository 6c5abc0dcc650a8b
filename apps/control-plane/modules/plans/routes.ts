import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import { ownViewOf } from "./plan.ts";
import type { Plans } from "./service.ts";

export function mountPlans(mount: Mount, plans: Plans): void {
  mount(api.plans.own, async ({ caller }) => ownViewOf(plans.planOf(caller.accountId)));
  mount(api.plans.list, ({ query }) => plans.list(query));
  mount(api.plans.create, ({ body, caller }) => plans.create(body, caller.accountId));
  mount(api.plans.show, ({ params }) => plans.show(params.id));
  mount(api.plans.change, ({ params, body, caller }) => plans.change(params.id, body, caller.accountId));
  mount(api.plans.remove, async ({ params, caller }) => {
    await plans.remove(params.id, caller.accountId);
    return null;
  });
  mount(api.plans.ofAccount, ({ params }) => plans.ofAccount(params.id));
  mount(api.plans.assign, ({ params, body, caller }) =>
    plans.assign(params.id, body.plan_id, caller.accountId),
  );
}
