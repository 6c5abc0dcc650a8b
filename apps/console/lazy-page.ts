import { lazyRouteComponent } from "@tanstack/react-router";
import { client, reachability } from "./api.ts";

/**
 * A page that is loaded when it is first shown. While the service is away it is waited for: the router by itself would
 * then load the whole document anew, and leave nothing of the console.
 */
// biome-ignore lint/suspicious/noExplicitAny: a module may export anything, as the router has it
export function lazyPage<Module extends Record<string, any>, Name extends keyof Module>(
  load: () => Promise<Module>,
  name: Name,
) {
  return lazyRouteComponent(() => loadWhenReachable(load), name);
}

async function loadWhenReachable<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    await client.service.live().catch(() => undefined); // tells whether the service is away, or the file is gone
    if (reachability.isReachable()) throw error;
    await reachability.whenReachable();
    return load();
  }
}
