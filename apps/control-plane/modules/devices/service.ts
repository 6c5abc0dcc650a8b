import {
  type api,
  type BodyOf,
  type Device,
  type DeviceWithTunnel,
  deviceErrors,
  type ResultOf,
} from "@securewave/contracts";
import { constraintOf, type Database, notNullColumnOf, type Tables } from "@securewave/database";
import { type Clock, createId, dayOf, RefusalError } from "@securewave/foundation";
import type { Envelope } from "@securewave/foundation/envelope";
import { type Connections, type Presence, rangeOf } from "@securewave/live";
import { parsePublicKey } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import type { Kysely } from "kysely";
import type { Bus } from "../../bus.ts";
import type { Caller } from "../../http/caller.ts";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Accounts } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import { type DataKeys, openNested, PLACES, sealNested } from "../data-keys/index.ts";
import type { NodeRow, Nodes, PeerSource } from "../nodes/index.ts";
import type { Plans } from "../plans/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import { countAddressesInUse, type Pools, poolSize } from "./addresses.ts";
import { connectionOf, type DeviceRow, type PlacedDevice, viewOf } from "./device.ts";
import { createNames, openCursor, sealCursor } from "./names.ts";
import * as store from "./store.ts";
import type { Tunnels } from "./tunnel.ts";

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
  readonly accounts: Accounts;
  readonly settings: SettingsStore;
  readonly plans: Pick<Plans, "planOf">;
  readonly tunnels: Tunnels;
  readonly pools: Pools;
}

export type Devices = ReturnType<typeof createDevices>;

type NewDevice = BodyOf<typeof api.devices.create>;
type Totals = ResultOf<typeof api.fleetDevices.totals>;

/** Event streams of one account; with one more the oldest ends. */
const WATCHERS_MAX = 10;
/** Which key seals what of a device. */
const sealContext = (deviceId: string) => `private key of ${deviceId}`;

export function createDevices(options: DevicesOptions) {
  const { database, dataKeys, clock, bus, audit, envelope, presence, connections, nodes } = options;
  const { accounts, settings, tunnels, pools, plans } = options;
  const { db } = database;
  /** Which source had an address last: asking it first saves the other attempt. */
  let likelySource: store.AddressSource = "fresh";

  const names = createNames(dataKeys);

  async function privateKeySealing(accountId: string, id: string) {
    const key = await dataKeys.ofAccount(accountId);
    return { envelope, key, place: PLACES.devicePrivateKey, rowId: id, context: sealContext(id) };
  }

  /** In the order in which they began. */
  const watchers = new Set<Pick<Caller, "accountId" | "credentialId"> & { ended(): void }>();
  function endWatching(sessionOrAccountId?: string): void {
    for (const { accountId, credentialId, ended } of watchers) {
      if ([undefined, accountId, credentialId].includes(sessionOrAccountId)) ended();
    }
  }
  bus.subscribe("sessions-changed", endWatching, endWatching);

  const nodeChanged = (nodeId: string | null) => {
    if (nodeId !== null) bus.publish("node-changed", nodeId);
  };

  function view(device: PlacedDevice, node: NodeRow | undefined): Device {
    return { ...viewOf(names.open(device), node), connection: connectionOf(device, connections, presence) };
  }

  async function nodeOf(device: DeviceRow): Promise<NodeRow | undefined> {
    return device.node_id === null ? undefined : (await nodes.directory()).get(device.node_id);
  }

  async function viewWithTunnel(device: PlacedDevice): Promise<DeviceWithTunnel> {
    const node = await nodeOf(device);
    return { ...view(device, node), tunnel: node ? tunnels.tunnelOf(device, node) : null };
  }

  /** @throws devices.not_found, also for another account's device */
  async function getOwn(accountId: string, id: string): Promise<PlacedDevice> {
    const device = await store.findDevice(db, id);
    if (device?.account_id !== accountId) throw deviceErrors.notFound();
    return device;
  }

  /** @throws devices.no_server, devices.server_unavailable */
  async function chooseNode(
    wished: string | undefined,
    full: ReadonlySet<string> = new Set(),
  ): Promise<string> {
    if (wished === undefined) {
      const node = await nodes.choose(full);
      if (!node) throw deviceErrors.noServer();
      return node.id;
    }
    if (!(await nodes.isAvailable(wished))) throw deviceErrors.serverUnavailable();
    return wished;
  }

  async function insert(device: store.NewDevice, devicesMax: number) {
    const sources: store.AddressSource[] =
      likelySource === "fresh" ? ["fresh", "released"] : ["released", "fresh"];
    for (const source of sources) {
      try {
        const placed = await store.insertDevice(db, device, devicesMax, source);
        likelySource = source;
        return placed;
      } catch (error) {
        if (constraintOf(error) !== "devices_active_have_place") throw refusalOf(error);
      }
    }
    const hasRoom = await store.hasRoom(db, device.node_id);
    throw hasRoom ? deviceErrors.poolExhausted() : deviceErrors.serverUnavailable();
  }

  /** The same key and name again is the same request again: its answer was lost on the way. */
  async function findRepeated(accountId: string, input: NewDevice): Promise<PlacedDevice | undefined> {
    const present =
      input.public_key === undefined ? undefined : await store.findByPublicKey(db, input.public_key);
    const isSame =
      present?.account_id === accountId &&
      present.state === "active" &&
      names.open(present).name === input.name;
    return isSame ? present : undefined;
  }

  /** @throws devices.invalid_key, devices.key_in_use */
  async function demandUsableKey(publicKey: string): Promise<void> {
    if (parsePublicKey(publicKey) === undefined) {
      throw deviceErrors.invalidKey({
        issues: [{ at: "/public_key", message: "is not a valid WireGuard key" }],
      });
    }
    if (await nodes.isKeyOfNode(publicKey)) throw keyInUse();
  }

  async function create(accountId: string, input: NewDevice): Promise<DeviceWithTunnel> {
    if (input.public_key !== undefined) await demandUsableKey(input.public_key);
    const id = createId("device");
    const made = input.public_key === undefined ? generateKeyPair() : undefined;
    const account_number = await dataKeys.numberOf(accountId);
    const device = {
      id,
      account_id: accountId,
      ...names.seal(account_number, id, input.name),
      type: input.type ?? "other",
      public_key: made?.publicKey ?? input.public_key ?? "",
      key_origin: made ? ("server" as const) : ("customer" as const),
      sealed_private_key: made ? sealNested(await privateKeySealing(accountId, id), made.privateKey) : null,
      preshared_key_master: tunnels.newestMaster,
      created_on: dayOf(clock.now()),
    };
    try {
      const placed = await place(device, input.server_id);
      nodeChanged(placed.node_id);
      return await viewWithTunnel({ ...placed, account_number, state: "active" });
    } catch (error) {
      const repeated = await findRepeated(accountId, input);
      if (!repeated) throw error;
      return viewWithTunnel(repeated);
    }
  }

  /** Adds it on the wished node, or else on the least loaded: what is known of its room may be a moment old. */
  async function place<Device extends Omit<store.NewDevice, "node_id">>(
    device: Device,
    wished: string | undefined,
  ) {
    const { devices_per_account_max: usual } = await settings.read();
    const devicesMax = plans.planOf(device.account_id).devices_max ?? usual;
    const full = new Set<string>();
    for (;;) {
      const placing = { ...device, node_id: await chooseNode(wished, full) };
      try {
        return { ...placing, ...(await insert(placing, devicesMax)) };
      } catch (error) {
        if (wished !== undefined || !isServerUnavailable(error)) throw error;
        full.add(placing.node_id);
      }
    }
  }

  async function revoke(
    device: PlacedDevice,
    record?: (trx: Kysely<Tables>) => Promise<unknown>,
  ): Promise<DeviceRow> {
    const revoked = await database.transaction(async (trx) => {
      await store.lockOwner(trx, device.account_id);
      const present = await store.findDevice(trx, device.id);
      if (present?.state === "active") await store.revokeDevice(trx, present);
      await record?.(trx);
      return present;
    });
    connections.forgetPeer(device.public_key);
    nodeChanged(revoked?.node_id ?? null);
    return { ...device, state: "revoked", node_id: null, address_index: null };
  }

  /** Takes a suspended account's devices off their nodes, and puts a reactivated one's back. */
  accounts.onChange(async (trx, account) => {
    const touched = await store.listActiveOf(trx, account.id);
    for (const device of touched) {
      const isOnNode = device.revision !== null;
      if (device.node_id === null || isOnNode === (account.state === "active")) continue;
      if (isOnNode) await store.removePeer(trx, device.node_id, device.public_key);
      else await store.addPeer(trx, device, device.node_id);
    }
    return () => {
      for (const nodeId of new Set(touched.map((device) => device.node_id))) nodeChanged(nodeId);
    };
  });

  /** Takes an erased account's devices off their nodes and gives their addresses back. */
  accounts.onErase(async (trx, accountId) => {
    await store.lockOwner(trx, accountId);
    const active = await store.listActiveOf(trx, accountId);
    for (const device of active) await store.revokeDevice(trx, device);
    return () => {
      for (const { public_key, node_id } of active) {
        connections.forgetPeer(public_key);
        nodeChanged(node_id);
      }
    };
  });

  const peers: PeerSource = {
    async readChanges(nodeId, afterRevision) {
      const rows = await store.readPeers(db, nodeId, afterRevision);
      return rows.map((row) => {
        const { revision, public_key, is_removed, address_index, preshared_key_master } = row;
        const isPresent = !is_removed && address_index !== null;
        const spec = isPresent
          ? tunnels.specOf({ public_key, preshared_key_master, address_index })
          : undefined;
        return { revision, publicKey: public_key, accountId: row.account_id ?? undefined, spec };
      });
    },
  };

  return {
    peers,

    /**
     * Registers a device and gives it an address on a node.
     *
     * @throws devices.invalid_key, devices.key_in_use, devices.name_in_use, devices.limit_reached,
     *   devices.pool_exhausted, devices.server_unavailable, devices.no_server
     */
    create,

    /** Gets the active device of a name, or adds it; throws what `create` does. */
    async ensure(accountId: string, input: NewDevice): Promise<DeviceWithTunnel> {
      const nameIndex = names.indexOf(await dataKeys.numberOf(accountId), input.name);
      const present = await store.findActiveByName(db, accountId, nameIndex);
      if (present) return viewWithTunnel(present);
      return create(accountId, input).catch(async (error: unknown) => {
        const other = await store.findActiveByName(db, accountId, nameIndex);
        if (!other) throw error;
        return viewWithTunnel(other);
      });
    },

    /** In the order of their names. Cursors are sealed: they stand in URLs, and name a device. */
    async list(accountId: string, page: PageRequest) {
      const key = await dataKeys.ofAccount(accountId);
      const bounds = boundsOf(openCursor(key, accountId, page), ["text", "text"]);
      const directory = await nodes.directory();
      const rows = names.pageOf(await store.listDevicesOf(db, accountId), page.search, bounds);
      const listed = pageOf(
        rows,
        bounds,
        ({ name, id }) => [name, id],
        (device) => view(device, directory.get(device.node_id ?? "")),
      );
      return { ...listed, next_cursor: sealCursor(key, accountId, listed.next_cursor) };
    },

    /** @throws devices.not_found */
    async show(accountId: string, id: string): Promise<DeviceWithTunnel> {
      return viewWithTunnel(await getOwn(accountId, id));
    },

    /** @throws devices.not_found, devices.name_in_use */
    async change(
      accountId: string,
      id: string,
      { name, ...rest }: { name?: string; type?: DeviceRow["type"] },
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
      return view({ ...device, ...changed }, await nodeOf(changed));
    },

    /** @throws devices.not_found, devices.revoked, devices.server_unavailable */
    async move(accountId: string, id: string, nodeId: string): Promise<DeviceWithTunnel> {
      const device = await getOwn(accountId, id);
      await chooseNode(nodeId);
      await database.transaction(async (trx) => {
        await store.lockOwner(trx, accountId);
        const present = await store.findDevice(trx, id);
        if (!present) throw deviceErrors.notFound();
        if (present.node_id === null) throw deviceErrors.revoked();
        if (present.node_id === nodeId) return;
        if (!(await store.takePlace(trx, nodeId))) throw deviceErrors.serverUnavailable();
        await store.changeNode(trx, present.node_id, -1);
        await store.removePeer(trx, present.node_id, present.public_key);
        await store.assignNode(trx, id, nodeId);
        await store.addPeer(trx, present, nodeId);
      });
      nodeChanged(device.node_id);
      nodeChanged(nodeId);
      return viewWithTunnel(await getOwn(accountId, id));
    },

    /** @throws devices.not_found */
    async revoke(accountId: string, id: string): Promise<Device> {
      const device = await getOwn(accountId, id);
      return view({ ...device, ...(await revoke(device)), revision: null }, undefined);
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
      const node = await nodeOf(device);
      if (!node) throw deviceErrors.revoked();
      if (device.sealed_private_key === null) throw deviceErrors.privateKeyNotHeld();
      const privateKey = openNested(await privateKeySealing(accountId, id), device.sealed_private_key);
      return { text: tunnels.configOf(device, node, privateKey), name: names.open(device).name };
    },

    /** The state of an account's active devices, and a way to hear of changes. */
    async watch(caller: Pick<Caller, "accountId" | "credentialId">) {
      const devices = await store.listActiveOf(db, caller.accountId);
      const keys = devices.map(({ public_key }) => public_key);
      return {
        read: () => devices.map((device) => connectionOf(device, connections, presence)),
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
    },

    /** @throws accounts.not_found */
    async listAll(accountId: string | undefined, page: PageRequest) {
      if (accountId !== undefined) await accounts.get(accountId);
      const bounds = boundsOf(page, ["text"]);
      const directory = await nodes.directory();
      const sought = page.search?.trim() || undefined;
      const rows = await store.listAllDevices(db, accountId, sought, bounds);
      return pageOf(
        rows,
        bounds,
        ({ id }) => [id],
        (device) => ({
          ...viewOf(names.open(device), directory.get(device.node_id ?? "")),
          account_id: device.account_id,
        }),
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

function isServerUnavailable(error: unknown): boolean {
  return error instanceof RefusalError && error.code === deviceErrors.serverUnavailable.code;
}

function keyInUse() {
  return deviceErrors.keyInUse({ issues: [{ at: "/public_key", message: "is in use" }] });
}

function refusalOf(error: unknown): unknown {
  if (notNullColumnOf(error) === "account_id") return deviceErrors.limitReached();
  switch (constraintOf(error)) {
    case "devices_public_key_key":
      return keyInUse();
    case "devices_active_name":
      return deviceErrors.nameInUse({
        issues: [{ at: "/name", message: "is the name of another device of yours" }],
      });
    default:
      return error;
  }
}
