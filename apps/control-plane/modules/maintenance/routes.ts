import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { MaintenanceDesk } from "./service.ts";

export function mountMaintenance(mount: Mount, maintenance: MaintenanceDesk): void {
  mount(api.statusDesk.maintenance, () => maintenance.current());
  mount(api.statusDesk.switchMode, ({ body, caller }) => maintenance.switchMode(body.mode, caller.accountId));
  mount(api.statusDesk.windows, ({ query }) => maintenance.list(query));
  mount(api.statusDesk.schedule, ({ body, caller }) => maintenance.schedule(body, caller.accountId));
  mount(api.statusDesk.reschedule, ({ params, body, caller }) =>
    maintenance.reschedule(params.id, body, caller.accountId),
  );
  mount(api.statusDesk.cancel, ({ params, caller }) => maintenance.cancel(params.id, caller.accountId));
}
