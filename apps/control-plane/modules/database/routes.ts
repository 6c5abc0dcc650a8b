import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { DatabaseDesk } from "./service.ts";

export function mountDatabase(mount: Mount, desk: DatabaseDesk): void {
  mount(api.database.status, () => desk.status());
  mount(api.database.roles, () => desk.roles());
  mount(api.database.migrations, async () => ({ items: await desk.migrations() }));
  mount(api.database.settings, async () => ({ items: await desk.settings() }));
  mount(api.database.slow, () => desk.slow());
}
