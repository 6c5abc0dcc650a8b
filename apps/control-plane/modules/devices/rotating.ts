import { type DeviceWithKeys, deviceErrors } from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import { type Clock, dayOf } from "@securewave/foundation";
import type { Connections } from "@securewave/live";
import type { Kysely } from "kysely";
import type { AgreeAnew } from "./agreeing.ts";
import { dayAfter, type KeyLife, nextRotationOn, type PlacedDevice } from "./device.ts";
import type { KeyPairs, WishedKey } from "./key-pairs.ts";
import * as keyStore from "./key-store.ts";
import * as peerStore from "./peer-store.ts";
import { keyInUse, refusalOf } from "./refusals.ts";
import { findDevice } from "./store.ts";
import type { Views } from "./views.ts";

export interface RotatingOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly connections: Pick<Connections, "forgetPeer">;
  readonly views: Views;
  readonly keyPairs: KeyPairs;
  readonly agreeAnew: AgreeAnew;
  readonly keyLife: KeyLife;
  readonly nodesChanged: (nodeIds: Iterable<string | null>) => void;
}

interface Rotation {
  readonly id: string;
  readonly accountId: string;
  readonly wished: WishedKey;
  /** Whether the present key is to be replaced; asked once nobody else can replace it. */
  readonly isWanted: (present: PlacedDevice) => boolean;
  /** What is done in the same transaction. */
  readonly after?: (trx: Kysely<Tables>, validUntil: string) => Promise<void>;
}

/** Gives devices new keys. WireGuard gives an address to one key alone, so a new key has addresses of its own. */
export function createRotating(options: RotatingOptions) {
  const { database, clock, connections, views, keyPairs, agreeAnew, keyLife, nodesChanged } = options;

  /** @returns what the owner's device gets an agreed preshared key from */
  async function replaceKey(rotation: Rotation): Promise<string | undefined> {
    const { id, accountId, wished, isWanted, after } = rotation;
    const { columns: key, ciphertext } = await keyPairs.keyFor(accountId, id, wished);
    const replaced = await database
      .transaction(async (trx) => {
        await peerStore.lockOwner(trx, accountId);
        const present = await findDevice(trx, id);
        if (!present) throw deviceErrors.notFound();
        if (!isWanted(present)) return undefined;
        const nodeId = demandReplaceable(present, key);
        const peers = await peerStore.listPeersOf(trx, id);
        await peerStore.lockNodes(trx, [nodeId, ...peers.map(({ node_id }) => node_id)]);

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
        await peerStore.addPeer(trx, { id, public_key: key.public_key }, nodeId);
        await after?.(trx, validUntil);
        return { nodeId, former };
      })
      .catch((error: unknown) => {
        throw refusalOf(error);
      });
    if (!replaced) return undefined;
    for (const { public_key } of replaced.former) connections.forgetPeer(public_key);
    nodesChanged([replaced.nodeId, ...replaced.former.map(({ node_id }) => node_id)]);
    return ciphertext;
  }

  return {
    /**
     * Gives a device a new key: its owner's, or one that is made here. The key that is the device's already changes
     * nothing, but for an agreed preshared key: the answer was lost on the way.
     *
     * @throws devices.not_found, devices.revoked, devices.invalid_key, devices.key_in_use, devices.pool_exhausted,
     *   devices.needs_own_key, devices.agreement_needed, devices.invalid_encapsulation_key
     */
    async rotate(accountId: string, id: string, wished: WishedKey): Promise<DeviceWithKeys> {
      const device = await views.getOwn(accountId, id);
      if (device.state === "revoked") throw deviceErrors.revoked();
      await keyPairs.demandUsable(wished);
      const { public_key, encapsulation_key } = wished;
      const isWanted = (present: PlacedDevice) => present.public_key !== public_key;
      let ciphertext = await replaceKey({ id, accountId, wished, isWanted });
      if (ciphertext === undefined && public_key !== undefined && encapsulation_key !== undefined) {
        ciphertext = await agreeAnew({ id, account_id: accountId, public_key }, encapsulation_key);
        if (ciphertext === undefined) throw keyInUse();
      }
      return views.withKeys(await views.getOwn(accountId, id), ciphertext);
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
      await replaceKey({ id, accountId, wished: {}, isWanted, after });
    },
  };
}

/** @returns the device's node */
function demandReplaceable(
  present: PlacedDevice,
  { preshared_key_sealed }: Pick<PlacedDevice, "preshared_key_sealed">,
): string {
  if (present.node_id === null || present.revision === null) throw deviceErrors.revoked();
  const isWeaker = present.preshared_key_sealed !== null && preshared_key_sealed === null;
  if (isWeaker) throw deviceErrors.agreementNeeded();
  return present.node_id;
}
