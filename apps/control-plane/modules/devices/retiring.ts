import type { Database } from "@securewave/database";
import { type Clock, dayOf } from "@securewave/foundation";
import type { Connections } from "@securewave/live";
import { type DueDevice, dropRetiringKey } from "./key-store.ts";
import * as peerStore from "./peer-store.ts";

export interface RetiringOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly connections: Pick<Connections, "forgetPeer">;
  readonly nodesChanged: (nodeIds: Iterable<string | null>) => void;
}

/** Takes away what was valid for a while beside a device's present key and place, once its day is over. */
export function createRetiring({ database, clock, connections, nodesChanged }: RetiringOptions) {
  return async function retireDue({ id, account_id }: DueDevice): Promise<void> {
    const today = dayOf(clock.now());
    const { peers, key } = await database.transaction(async (trx) => {
      await peerStore.lockOwner(trx, account_id);
      const peers = (await peerStore.listPeersOf(trx, id)).filter(
        ({ retires_on }) => retires_on !== null && retires_on < today,
      );
      await peerStore.removePeers(trx, peers);
      return { peers, key: await dropRetiringKey(trx, id, today) };
    });
    if (key) connections.forgetPeer(key.public_key);
    nodesChanged(peers.map(({ node_id }) => node_id));
  };
}
