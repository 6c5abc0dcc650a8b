import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { AccountUsage } from "./account-usage.ts";

export function mountUsage(mount: Mount, usage: AccountUsage): void {
  mount(api.usage.own, async ({ caller }) => usage.own(caller.accountId));
  mount(api.usage.ofAccount, ({ params, caller }) => usage.forStaff(params.id, caller.accountId));
}
