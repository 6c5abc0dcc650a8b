import { type DeviceWithTunnel, deviceErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, dayOf } from "@securewave/foundation";
import { dayAfter } from "./device.ts";
import * as peerStore from "./peer-store.ts";
import type { Placing } from "./placing.ts";
import * as store from "./store.ts";
import type { Views } from "./views.ts";

export interface MovingOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly views: Views;
  readonly placing: Placing;
  readonly nodesChanged: (nodeIds: Iterable<string | null>) => void;
}

/** The former server has the device's key until the end of tomorrow, so that there is time to put the new config in. */
const OVERLAP_DAYS = 1;

export function createMoving({ database, clock, views, placing, nodesChanged }: MovingOptions) {
  async function moveTo(accountId: string, id: string, nodeId: string): Promise<void> {
    await database.transaction(async (trx) => {
      await peerStore.lockOwner(trx, accountId);
      const present = await store.findDevice(trx, id);
      if (!present) throw deviceErrors.notFound();
      if (present.node_id === null) throw deviceErrors.revoked();
      if (present.node_id === nodeId) return;
      await peerStore.lockNodes(trx, [present.node_id, nodeId]);
      if (!(await peerStore.takePlace(trx, nodeId))) throw deviceErrors.serverUnavailable();
      await peerStore.changeNode(trx, present.node_id, -1);
      await peerStore.retirePresentPeer(trx, id, dayAfter(dayOf(clock.now()), OVERLAP_DAYS));
      await store.assignNode(trx, id, nodeId);
      if (present.revision !== null) await peerStore.addPeer(trx, present, nodeId); // null: suspended
    });
  }

  /**
   * Moves a device to a node, or to the best other one. Its key and addresses stay.
   *
   * @throws devices.not_found, devices.revoked, devices.server_unavailable, devices.no_server
   */
  return async function move(
    accountId: string,
    id: string,
    wished: string | undefined,
  ): Promise<DeviceWithTunnel> {
    const device = await views.getOwn(accountId, id);
    if (device.node_id === null) throw deviceErrors.revoked();
    await placing.onNode(wished, [device.node_id], async (nodeId) => {
      await moveTo(accountId, id, nodeId);
      nodesChanged([nodeId]);
    });
    return views.withTunnel(await views.getOwn(accountId, id));
  };
}
