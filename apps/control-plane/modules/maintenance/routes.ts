import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { ServiceMode } from "./mode.ts";
import type { MaintenanceWindows } from "./windows.ts";

export function mountMaintenance(mount: Mount, mode: ServiceMode, windows: MaintenanceWindows): void {
  mount(api.statusDesk.maintenance, () => mode.current());
  mount(api.statusDesk.switchMode, ({ body, caller }) => mode.switchTo(body.mode, caller.accountId));
  mount(api.statusDesk.windows, ({ query }) => windows.list(query));
  mount(api.statusDesk.schedule, ({ body, caller }) => windows.schedule(body, caller.accountId));
  mount(api.statusDesk.reschedule, ({ params, body, caller }) =>
    windows.reschedule(params.id, body, caller.accountId),
  );
  mount(api.statusDesk.cancel, ({ params, caller }) => windows.cancel(params.id, caller.accountId));
}
