import type { Accounts } from "../accounts/index.ts";
import type { Plans } from "../plans/index.ts";
import type { PlacedDevice } from "./device.ts";
import * as peerStore from "./peer-store.ts";
import * as store from "./store.ts";

export interface FollowAccountsOptions {
  readonly accounts: Pick<Accounts, "onChange" | "onErase">;
  readonly plans: Pick<Plans, "onAssign">;
  readonly nodesChanged: (nodeIds: Iterable<string | null>) => void;
  readonly tellTaken: (taken: store.TakenAway) => void;
}

/** Has devices follow what becomes of their accounts, in the same transaction. */
export function followAccounts({ accounts, plans, nodesChanged, tellTaken }: FollowAccountsOptions): void {
  /** Takes a suspended account's devices off their nodes, and puts a reactivated one's back; what retired is gone. */
  accounts.onChange(async (trx, account) => {
    const touched = await store.listActiveOf(trx, account.id);
    await peerStore.lockNodes(trx, nodesOf(touched));
    for (const device of touched) {
      const isOnNode = device.revision !== null;
      if (device.node_id === null || isOnNode === (account.state === "active")) continue;
      if (isOnNode) await store.takeKeysAway(trx, device);
      else await peerStore.addPeer(trx, device, device.node_id);
    }
    return () => nodesChanged(nodesOf(touched));
  });

  /** Tells nodes of another plan's number, by which they know how fast a device may be. */
  plans.onAssign(async (trx, accountId) => {
    const peers = await peerStore.listPeersOfAccount(trx, accountId);
    await peerStore.renewPeers(trx, peers);
    return () => nodesChanged(peers.map(({ node_id }) => node_id));
  });

  /** Takes an erased account's devices off their nodes and gives their addresses back. */
  accounts.onErase(async (trx, accountId) => {
    await peerStore.lockOwner(trx, accountId);
    const active = await store.listActiveOf(trx, accountId);
    await peerStore.lockNodes(trx, nodesOf(active));
    const taken: store.TakenAway[] = [];
    for (const device of active) taken.push(await store.revokeDevice(trx, device));
    return () => {
      for (const one of taken) tellTaken(one);
    };
  });
}

function nodesOf(devices: readonly PlacedDevice[]): string[] {
  return devices.flatMap(({ node_id, retiring }) => [
    ...(node_id === null ? [] : [node_id]),
    ...retiring.map((peer) => peer.node_id),
  ]);
}
