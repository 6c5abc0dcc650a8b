import { type DeviceWithTunnel, deviceErrors } from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import { type Clock, dayOf } from "@securewave/foundation";
import type { Kysely } from "kysely";
import type { PlaceWish, Servers } from "../servers/index.ts";
import { dayAfter, type PlacedDevice } from "./device.ts";
import * as peerStore from "./peer-store.ts";
import type { Placing } from "./placing.ts";
import * as store from "./store.ts";
import type { Views } from "./views.ts";

export interface MovingOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly views: Views;
  readonly servers: Pick<Servers, "isKept">;
  readonly placing: Placing;
  readonly nodesChanged: (nodeIds: Iterable<string | null>) => void;
}

/** The former server has the device's key until the end of tomorrow, so that there is time to put the new config in. */
const OVERLAP_DAYS = 1;

/**
 * Gives a device its place on another node; its owner and both nodes are locked.
 *
 * @throws devices.server_unavailable
 */
export async function moveDevice(
  trx: Kysely<Tables>,
  device: PlacedDevice & { readonly node_id: string },
  nodeId: string,
  formerUntil: string,
): Promise<void> {
  if (!(await peerStore.takePlace(trx, nodeId))) throw deviceErrors.serverUnavailable();
  await peerStore.changeNode(trx, device.node_id, -1);
  await peerStore.retirePresentPeer(trx, device.id, formerUntil);
  await store.assignNode(trx, device.id, nodeId);
  if (device.revision !== null) await peerStore.addPeer(trx, device, nodeId); // null: suspended
}

export function createMoving(options: MovingOptions) {
  const { database, clock, views, servers, placing, nodesChanged } = options;

  async function moveTo(accountId: string, id: string, nodeId: string): Promise<void> {
    await database.transaction(async (trx) => {
      await peerStore.lockOwner(trx, accountId);
      const present = await store.findDevice(trx, id);
      if (!present) throw deviceErrors.notFound();
      const { node_id } = present;
      if (node_id === null) throw deviceErrors.revoked();
      if (node_id === nodeId) return;
      await peerStore.lockNodes(trx, [node_id, nodeId]);
      await moveDevice(trx, { ...present, node_id }, nodeId, dayAfter(dayOf(clock.now()), OVERLAP_DAYS));
    });
  }

  /**
   * Moves a device to a node, or to the best other one. Its key and addresses stay. In a region where it is well already
   * nothing changes: the request was sent again.
   *
   * @throws devices.not_found, devices.revoked, devices.server_unavailable, devices.server_not_included,
   *   devices.region_unavailable, devices.no_other_server
   */
  return async function move(accountId: string, id: string, wish: PlaceWish): Promise<DeviceWithTunnel> {
    const device = await views.getOwn(accountId, id);
    const { node_id } = device;
    if (node_id === null) throw deviceErrors.revoked();
    const isThere = wish.server_id === undefined && (await servers.isKept(node_id, wish.region));
    if (isThere) return views.withTunnel(device);
    await placing.move({ ...device, node_id }, wish, async (nodeId) => {
      await moveTo(accountId, id, nodeId);
      nodesChanged([nodeId]);
    });
    return views.withTunnel(await views.getOwn(accountId, id));
  };
}
