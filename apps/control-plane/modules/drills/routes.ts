import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { Drills } from "./service.ts";

export function mountDrills(mount: Mount, drills: Drills): void {
  mount(api.drills.list, ({ query }) => drills.list(query));
  mount(api.drills.show, ({ params }) => drills.show(params.id));
  mount(api.drills.record, ({ body, caller }) => drills.record(body, caller.accountId));
}
