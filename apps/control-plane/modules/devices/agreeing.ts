import type { Database } from "@securewave/database";
import type { PlacedDevice } from "./device.ts";
import type { KeyPairs } from "./key-pairs.ts";
import { replacePresharedKey } from "./key-store.ts";
import * as peerStore from "./peer-store.ts";
import { findDevice } from "./store.ts";

export interface AgreeingOptions {
  readonly database: Database;
  readonly keyPairs: Pick<KeyPairs, "agree">;
  readonly nodesChanged: (nodeIds: Iterable<string | null>) => void;
}

/**
 * Gives a device's present key another preshared key, on all nodes that have this key, at once: nobody can have used the
 * former one whose answer was lost.
 */
export function createAgreeing({ database, keyPairs, nodesChanged }: AgreeingOptions) {
  /**
   * @returns the ciphertext; undefined when the device has got another key meanwhile, or was revoked
   * @throws devices.invalid_encapsulation_key
   */
  return async function agreeAnew(
    { id, account_id, public_key }: Pick<PlacedDevice, "id" | "account_id" | "public_key">,
    encapsulationKey: string,
  ): Promise<string | undefined> {
    const agreed = await keyPairs.agree(account_id, id, public_key, encapsulationKey);
    const nodeIds = await database.transaction(async (trx) => {
      await peerStore.lockOwner(trx, account_id);
      const present = await findDevice(trx, id);
      if (present?.state !== "active" || present.public_key !== public_key) return undefined;
      const peers = (await peerStore.listPeersOf(trx, id)).filter((peer) => peer.public_key === public_key);
      await peerStore.renewPeers(trx, peers);
      await replacePresharedKey(trx, id, agreed.preshared_key_sealed);
      return peers.map(({ node_id }) => node_id);
    });
    if (!nodeIds) return undefined;
    nodesChanged(nodeIds);
    return agreed.ciphertext;
  };
}

export type AgreeAnew = ReturnType<typeof createAgreeing>;
