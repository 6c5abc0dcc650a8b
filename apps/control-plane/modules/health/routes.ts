import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { ServiceHealth } from "./service.ts";

export function mountHealth(mount: Mount, health: ServiceHealth): void {
  mount(api.alerts.health, () => health.details());
}
