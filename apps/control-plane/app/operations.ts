import type { AppOptions, Ground } from "./ground.ts";
import type { Keys } from "./keys.ts";
import type { People } from "./people.ts";
import type { Rights } from "./rights.ts";
import type { TunnelRoom } from "./tunnels.ts";

export type Operations = Awaited<ReturnType<typeof openOperations>>;

/** What keeps the service running: its jobs, backups, alerts, service levels, status page and drills. */
export async function openOperations(
  _ground: Ground,
  _keys: Keys,
  _people: People,
  _tunnels: TunnelRoom,
  _rights: Rights,
  _options: AppOptions,
) {
  return {};
}
