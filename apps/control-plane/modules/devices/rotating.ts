import { type DeviceWithTunnel, deviceErrors } from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import { type Clock, dayOf } from "@securewave/foundation";
import type { Connections } from "@securewave/live";
import type { Kysely } from "kysely";
import { dayAfter, type KeyLife, nextRotationOn, type PlacedDevice } from "./device.ts";
import type { KeyPairs } from "./key-pairs.ts";
import * as keyStore from "./key-store.ts";
import * as peerStore from "./peer-store.ts";
import { keyInUse, refusalOf } from "./refusals.ts";
import { findDevice } from "./store.ts";
import type { Tunnels } from "./tunnel.ts";
import type { Views } from "./views.ts";

export interface RotatingOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly connections: Pick<Connections, "forgetPeer">;
  readonly views: Views;
  readonly tunnels: Tunnels;
  readonly keyPairs: KeyPairs;
  readonly keyLife: KeyLife;
  readonly nodesChanged: (nodeIds: Iterable<string | null>) => void;
}

interface Rotation {
  readonly id: string;
  readonly accountId: string;
  readonly publicKey: string | undefined;
  /** Whether the present key is to be replaced; asked once nobody else can replace it. */
  readonly isWanted: (present: PlacedDevice) => boolean;
  /** What is done in the same transaction. */
  readonly after?: (trx: Kysely<Tables>, validUntil: string) => Promise<void>;
}

/** Gives devices new keys. WireGuard gives an address to one key alone, so a new key has addresses of its own. */
export function createRotating(options: RotatingOptions) {
  const { database, clock, connections, views, tunnels, keyPairs, keyLife, nodesChanged } = options;

  async function replaceKey({ id, accountId, publicKey, isWanted, after }: Rotation): Promise<void> {
    const key = {
      ...(await keyPairs.keyFor(accountId, id, publicKey)),
      preshared_key_master: tunnels.newestMaster,
    };
    const replaced = await database
      .transaction(async (trx) => {
        await peerStore.lockOwner(trx, accountId);
        const present = await findDevice(trx, id);
        if (!present) throw deviceErrors.notFound();
        if (!isWanted(present)) return undefined;
        if (present.node_id === null || present.revision === null) throw deviceErrors.revoked();
        const peers = await peerStore.listPeersOf(trx, id);
        await peerStore.lockNodes(trx, [present.node_id, ...peers.map(({ node_id }) => node_id)]);

        const former = peers.filter(({ public_key }) => public_key !== present.public_key);
        if (former.some(({ public_key }) => public_key === key.public_key)) throw keyInUse();
        await peerStore.removePeers(trx, former);
        await keyStore.dropRetiringKey(trx, id);

        const address_index = await keyStore.takeAddress(trx);
        if (address_index === undefined) throw deviceErrors.poolExhausted();
        const key_made_on = dayOf(clock.now());
        const validUntil = dayAfter(key_made_on, keyLife.overlapDays);
        await peerStore.retirePresentPeer(trx, id, validUntil);
        await keyStore.replaceKey(trx, present, { ...key, address_index, key_made_on }, validUntil);
        await peerStore.addPeer(trx, { id, public_key: key.public_key }, present.node_id);
        await after?.(trx, validUntil);
        return { nodeId: present.node_id, former };
      })
      .catch((error: unknown) => {
        throw refusalOf(error);
      });
    if (!replaced) return;
    for (const { public_key } of replaced.former) connections.forgetPeer(public_key);
    nodesChanged([replaced.nodeId, ...replaced.former.map(({ node_id }) => node_id)]);
  }

  return {
    /**
     * Gives a device a new key: its owner's, or one that is made here. The key that is the device's already changes
     * nothing: the answer was lost on the way.
     *
     * @throws devices.not_found, devices.revoked, devices.invalid_key, devices.key_in_use, devices.pool_exhausted
     */
    async rotate(accountId: string, id: string, publicKey: string | undefined): Promise<DeviceWithTunnel> {
      const device = await views.getOwn(accountId, id);
      if (device.state === "revoked") throw deviceErrors.revoked();
      if (publicKey !== undefined) await keyPairs.demandUsable(publicKey);
      const isWanted = ({ public_key }: PlacedDevice) => public_key !== publicKey;
      await replaceKey({ id, accountId, publicKey, isWanted });
      return views.withTunnel(await views.getOwn(accountId, id));
    },

    /** Gives a device a new key that is made here, unless that was done meanwhile. */
    async rotateIfDue(
      { id, account_id: accountId }: keyStore.DueDevice,
      after: (trx: Kysely<Tables>, validUntil: string) => Promise<void>,
    ): Promise<void> {
      const isWanted = (present: PlacedDevice) => {
        const due = nextRotationOn(present, keyLife);
        const isDue = due !== null && due <= dayOf(clock.now());
        return isDue && present.key_origin === "server" && present.revision !== null; // null: suspended
      };
      await replaceKey({ id, accountId, publicKey: undefined, isWanted, after });
    },
  };
}
