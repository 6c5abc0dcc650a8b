import type { Connection } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import type { Connections, Presence } from "@securewave/live";
import type { Bus } from "../../bus.ts";
import type { Caller } from "../../http/caller.ts";
import { connectionOf, keysOf } from "./device.ts";
import { listActiveOf } from "./store.ts";

/** Event streams of one account; with one more the oldest ends. */
const WATCHERS_MAX = 10;

export interface WatchingOptions {
  readonly database: Database;
  readonly bus: Bus;
  readonly connections: Connections;
  readonly presence: Presence;
}

/** Owners who look at the state of their devices as it changes. */
export function createWatching({ database, bus, connections, presence }: WatchingOptions) {
  /** In the order in which they began. */
  const watchers = new Set<Pick<Caller, "accountId" | "credentialId"> & { ended(): void }>();
  function endWatching(sessionOrAccountId?: string): void {
    for (const { accountId, credentialId, ended } of watchers) {
      if ([undefined, accountId, credentialId].includes(sessionOrAccountId)) ended();
    }
  }
  bus.subscribe("sessions-changed", endWatching, endWatching);

  /** The state of an account's active devices, and a way to hear of changes. */
  return async function watch(caller: Pick<Caller, "accountId" | "credentialId">) {
    const devices = await listActiveOf(database.db, caller.accountId);
    const keys = devices.flatMap(keysOf);
    return {
      read: (): Connection[] => devices.map((device) => connectionOf(device, connections, presence)),
      /** @param ended the log-in is over, or may be */
      subscribe(changed: () => void, ended: () => void): () => void {
        const nodeIds = new Set(devices.map(({ node_id }) => node_id));
        const watcher = { ...caller, ended };
        watchers.add(watcher);
        const own = [...watchers].filter(({ accountId }) => accountId === caller.accountId);
        if (own.length > WATCHERS_MAX) own[0]?.ended();
        const stops = [
          () => watchers.delete(watcher),
          connections.subscribe(() => keys, changed),
          presence.subscribe((nodeId) => {
            if (nodeIds.has(nodeId)) changed();
          }),
        ];
        return () => {
          for (const stop of stops) stop();
        };
      },
    };
  };
}
