import { type Device, type DeviceWithKeys, type DeviceWithTunnel, deviceErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import type { Connections, Presence } from "@securewave/live";
import type { Nodes } from "../nodes/index.ts";
import { connectionOf, type KeyLife, type OwnedDevice, type PlacedDevice, viewOf } from "./device.ts";
import type { Names } from "./names.ts";
import { findDevice } from "./store.ts";
import type { Tunnels } from "./tunnel.ts";

export interface ViewsOptions {
  readonly database: Database;
  readonly connections: Connections;
  readonly presence: Presence;
  readonly nodes: Pick<Nodes, "directory">;
  readonly names: Names;
  readonly tunnels: Tunnels;
  readonly keyLife: KeyLife;
}

export type Views = ReturnType<typeof createViews>;

/** What is shown of devices. */
export function createViews(options: ViewsOptions) {
  const { database, connections, presence, nodes, names, tunnels, keyLife } = options;

  /** For many devices. */
  async function prepare() {
    const directory = await nodes.directory();
    const plain = (device: OwnedDevice) => viewOf(names.open(device), directory, keyLife);
    return {
      /** Without what is known of its connection. */
      plain,
      of: (device: PlacedDevice): Device => ({
        ...plain(device),
        connection: connectionOf(device, connections, presence),
      }),
    };
  }

  const of = async (device: PlacedDevice) => (await prepare()).of(device);

  async function withTunnel(device: PlacedDevice): Promise<DeviceWithTunnel> {
    const node = device.node_id === null ? undefined : (await nodes.directory()).get(device.node_id);
    return { ...(await of(device)), tunnel: node ? tunnels.tunnelOf(device, node) : null };
  }

  return {
    prepare,
    of,

    withTunnel,

    /** With what its preshared key is made of, where it was agreed just now. */
    async withKeys(device: PlacedDevice, ciphertext: string | undefined): Promise<DeviceWithKeys> {
      const view = await withTunnel(device);
      return ciphertext === undefined ? view : { ...view, ciphertext };
    },

    /** @throws devices.not_found, also for another account's device */
    async getOwn(accountId: string, id: string): Promise<PlacedDevice> {
      const device = await findDevice(database.db, id);
      if (device?.account_id !== accountId) throw deviceErrors.notFound();
      return device;
    },
  };
}
