import type { Connection, Device } from "@securewave/contracts";
import type { Tables } from "@securewave/database";
import type { Connections, Presence } from "@securewave/live";
import type { Selectable } from "kysely";
import type { NodeRow } from "../nodes/index.ts";

export type DeviceRow = Selectable<Tables["devices"]>;

/** A device with the number of its account, by which its sealed columns open. */
export type OwnedDevice = DeviceRow & { readonly account_number: number };

/** A device with the revision of its node's state that brought it, if that is known. */
export type PlacedDevice = OwnedDevice & { readonly revision: number | null };

/** With its name, opened. */
export type Named<Device extends DeviceRow> = Device & { readonly name: string };

/** What is known of a device's connection, from memory. */
export function connectionOf(device: PlacedDevice, connections: Connections, presence: Presence): Connection {
  const node = device.node_id === null ? undefined : presence.of(device.node_id);
  const state = connections.stateOf(device.public_key);
  return {
    device_id: device.id,
    ready: node !== undefined && device.revision !== null && node.appliedRevision >= device.revision,
    connected: state.isConnected,
    handshake_age_seconds: state.handshakeAgeSeconds ?? null,
    received_bytes: state.receivedBytes,
    sent_bytes: state.sentBytes,
  };
}

export function viewOf(device: Named<DeviceRow>, node: NodeRow | undefined): Omit<Device, "connection"> {
  const { id, name, type, state, public_key, key_origin, created_on } = device;
  const server = node ? { id: node.id, name: node.name, region: node.region } : null;
  return { id, name, type, state, public_key, key_origin, server, created_on };
}
