import {
  type api,
  type Device,
  type DeviceWithTunnel,
  deviceErrors,
  type ResultOf,
} from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import type { Clock } from "@securewave/foundation";
import type { Envelope } from "@securewave/foundation/envelope";
import { type Connections, type Presence, rangeOf } from "@securewave/live";
import type { Kysely } from "kysely";
import type { Bus } from "../../bus.ts";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Accounts } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import type { DataKeys } from "../data-keys/index.ts";
import type { Nodes } from "../nodes/index.ts";
import type { Plans } from "../plans/index.ts";
import type { Servers } from "../servers/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import { createAdding } from "./adding.ts";
import { countAddressesInUse, type Pools, poolSize } from "./addresses.ts";
import { createAgreeing } from "./agreeing.ts";
import { type DeviceRow, type KeyLife, keysOf, type PlacedDevice } from "./device.ts";
import { createDraining } from "./draining.ts";
import { followAccounts } from "./follow-accounts.ts";
import { createKeyPairs } from "./key-pairs.ts";
import { createMoving } from "./moving.ts";
import { createNames, openCursor, sealCursor } from "./names.ts";
import * as peerStore from "./peer-store.ts";
import { createPeers } from "./peers.ts";
import { createPlacing } from "./placing.ts";
import { refusalOf } from "./refusals.ts";
import { createRetiring } from "./retiring.ts";
import { createRotating } from "./rotating.ts";
import * as store from "./store.ts";
import type { Tunnels } from "./tunnel.ts";
import { createViews } from "./views.ts";
import { createWatching } from "./watching.ts";

export interface DevicesOptions {
  readonly database: Database;
  readonly dataKeys: DataKeys;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly envelope: Envelope;
  readonly presence: Presence;
  readonly connections: Connections;
  readonly nodes: Nodes;
  readonly servers: Servers;
  readonly accounts: Accounts;
  readonly settings: SettingsStore;
  readonly plans: Pick<Plans, "planOf" | "onAssign">;
  readonly tunnels: Tunnels;
  readonly pools: Pools;
  readonly keyLife: KeyLife;
}

export type Devices = ReturnType<typeof createDevices>;

type Totals = ResultOf<typeof api.fleetDevices.totals>;

export function createDevices(options: DevicesOptions) {
  const { database, dataKeys, clock, bus, audit, envelope, presence, connections, nodes, servers } = options;
  const { accounts, settings, tunnels, pools, plans, keyLife } = options;
  const { db } = database;

  const names = createNames(dataKeys);
  const keyPairs = createKeyPairs({ envelope, dataKeys, nodes, tunnels });
  const placing = createPlacing({ database, nodes, servers, settings, plans });
  const views = createViews({ database, connections, presence, nodes, names, tunnels, keyLife });
  const { getOwn } = views;

  function nodesChanged(nodeIds: Iterable<string | null>): void {
    for (const nodeId of new Set(nodeIds)) if (nodeId !== null) bus.publish("node-changed", nodeId);
  }

  function tellTaken({ nodeIds, keys }: store.TakenAway): void {
    for (const key of keys) connections.forgetPeer(key);
    nodesChanged(nodeIds);
  }

  const move = createMoving({ database, clock, views, servers, placing, nodesChanged });
  const agreeAnew = createAgreeing({ database, keyPairs, nodesChanged });
  const { rotate, rotateIfDue } = createRotating({
    database,
    clock,
    connections,
    views,
    keyPairs,
    agreeAnew,
    keyLife,
    nodesChanged,
  });

  const { create, ensure } = createAdding({
    database,
    dataKeys,
    clock,
    names,
    keyPairs,
    agreeAnew,
    placing,
    views,
    nodesChanged,
  });

  async function revoke(
    device: PlacedDevice,
    record?: (trx: Kysely<Tables>) => Promise<unknown>,
  ): Promise<PlacedDevice> {
    const taken = await database.transaction(async (trx) => {
      await peerStore.lockOwner(trx, device.account_id);
      const present = await store.findDevice(trx, device.id);
      const revoked = present?.state === "active" ? await store.revokeDevice(trx, present) : undefined;
      await record?.(trx);
      return { keys: revoked?.keys ?? keysOf(device), nodeIds: revoked?.nodeIds ?? [] };
    });
    tellTaken(taken);
    return { ...device, state: "revoked", node_id: null, address_index: null, revision: null, retiring: [] };
  }

  followAccounts({ accounts, plans, nodesChanged, tellTaken });

  return {
    peers: createPeers({ database, dataKeys, tunnels }),

    create,
    ensure,

    /** In the order of their names. Cursors are sealed: they stand in URLs, and name a device. */
    async list(accountId: string, page: PageRequest) {
      const key = await dataKeys.ofAccount(accountId);
      const bounds = boundsOf(openCursor(key, accountId, page), ["text", "text"]);
      const rows = names.pageOf(await store.listDevicesOf(db, accountId), page.search, bounds);
      const view = await views.prepare();
      const listed = pageOf(rows, bounds, ({ name, id }) => [name, id], view.of);
      return { ...listed, next_cursor: sealCursor(key, accountId, listed.next_cursor) };
    },

    /** @throws devices.not_found */
    async show(accountId: string, id: string): Promise<DeviceWithTunnel> {
      return views.withTunnel(await getOwn(accountId, id));
    },

    /** @throws devices.not_found, devices.name_in_use */
    async change(
      accountId: string,
      id: string,
      { name, ...rest }: { name?: string; type?: DeviceRow["type"]; rotation_days?: number | null },
    ): Promise<Device> {
      const device = await getOwn(accountId, id);
      const change = {
        ...rest,
        ...(name === undefined ? {} : names.seal(device.account_number, id, name)),
      };
      const changed = await store.updateDevice(db, id, change).catch((error: unknown) => {
        throw refusalOf(error);
      });
      if (!changed) throw deviceErrors.notFound();
      return views.of({ ...device, ...changed });
    },

    move,
    drainAll: createDraining({ database, clock, nodes, servers, plans, nodesChanged }),
    rotate,
    rotateIfDue,
    retireDue: createRetiring({ database, clock, connections, nodesChanged }),
    watch: createWatching({ database, bus, connections, presence }),

    /** @throws devices.not_found */
    async revoke(accountId: string, id: string): Promise<Device> {
      return views.of(await revoke(await getOwn(accountId, id)));
    },

    /** @throws devices.not_found */
    async revokeForStaff(id: string, actor: string): Promise<void> {
      const device = await store.findDevice(db, id);
      if (!device) throw deviceErrors.notFound();
      const act = { kind: "device_revoked_by_staff", actor, subject: id } as const;
      await revoke(device, (trx) => audit.record(trx, act));
    },

    /** @throws devices.not_found */
    async remove(accountId: string, id: string): Promise<void> {
      await revoke(await getOwn(accountId, id));
      await store.deleteDevice(db, id);
    },

    /** @throws devices.not_found, devices.revoked, devices.private_key_not_held */
    async config(accountId: string, id: string): Promise<{ text: string; name: string }> {
      const device = await getOwn(accountId, id);
      const node = (await nodes.directory()).get(device.node_id ?? "");
      if (!node) throw deviceErrors.revoked();
      if (device.sealed_private_key === null) throw deviceErrors.privateKeyNotHeld();
      const privateKey = await keyPairs.open(accountId, id, device.sealed_private_key);
      return { text: tunnels.configOf(device, node, privateKey), name: names.open(device).name };
    },

    /** @throws accounts.not_found */
    async listAll(accountId: string | undefined, page: PageRequest) {
      if (accountId !== undefined) await accounts.get(accountId);
      const bounds = boundsOf(page, ["text"]);
      const sought = page.search?.trim() || undefined;
      const rows = await store.listAllDevices(db, accountId, sought, bounds);
      const view = await views.prepare();
      return pageOf(
        rows,
        bounds,
        ({ id }) => [id],
        (device) => ({ ...view.plain(device), account_id: device.account_id }),
      );
    },

    async totals(): Promise<Totals> {
      const [devices, inUse, fleet, accountCount] = await Promise.all([
        store.countDevices(db),
        countAddressesInUse(database),
        nodes.counts(),
        accounts.count(),
      ]);
      return {
        accounts: accountCount,
        devices_active: devices.active,
        devices_revoked: devices.revoked,
        addresses_in_use: inUse,
        addresses_total: poolSize(pools),
        nodes: fleet.nodes,
        nodes_healthy: fleet.healthy,
        connected: rangeOf(connections.count()),
      };
    },
  };
}
