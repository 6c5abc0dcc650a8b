import type { Connection, Device } from "@securewave/contracts";
import type { Tables } from "@securewave/database";
import { DAY_MS, dayOf } from "@securewave/foundation";
import type { Connections, Presence } from "@securewave/live";
import type { Selectable } from "kysely";
import type { NodeRow } from "../nodes/index.ts";

export type DeviceRow = Selectable<Tables["devices"]>;

/** A key on a node that is valid until its day is over. */
export interface RetiringPeer {
  readonly public_key: string;
  readonly node_id: string;
  readonly retires_on: string;
}

/** A device with the number of its account, by which its sealed columns open. */
export type OwnedDevice = DeviceRow & {
  readonly account_number: number;
  /** Those that end first come first. */
  readonly retiring: readonly RetiringPeer[];
};

/** A device with the revision of its node's state that brought it, if that is known. */
export type PlacedDevice = OwnedDevice & { readonly revision: number | null };

/** With its name, opened. */
export type Named<Device extends DeviceRow> = Device & { readonly name: string };

/** How long keys are used, in days. */
export interface KeyLife {
  /** Of a device that says nothing of its own; 0: for ever. */
  readonly rotationDays: number;
  /** How long a key works after another one has taken its place. */
  readonly overlapDays: number;
}

/** The day so many days after another. */
export function dayAfter(day: string, days: number): string {
  return dayOf(Date.parse(day) + days * DAY_MS);
}

/** @returns null when it is never due */
export function nextRotationOn(
  { state, key_made_on, rotation_days }: Pick<DeviceRow, "state" | "key_made_on" | "rotation_days">,
  { rotationDays }: Pick<KeyLife, "rotationDays">,
): string | null {
  const days = rotation_days ?? rotationDays;
  return state === "active" && days > 0 ? dayAfter(key_made_on, days) : null;
}

/** All keys by which a device may be connected; the present one first. */
export function keysOf({ public_key, retiring }: Pick<OwnedDevice, "public_key" | "retiring">): string[] {
  return [...new Set([public_key, ...retiring.map((peer) => peer.public_key)])];
}

/** What is known of a device's connection, from memory: by whichever of its keys it is connected. */
export function connectionOf(device: PlacedDevice, connections: Connections, presence: Presence): Connection {
  const node = device.node_id === null ? undefined : presence.of(device.node_id);
  const states = keysOf(device).map((key) => connections.stateOf(key));
  const ages = states.flatMap(({ handshakeAgeSeconds }) => handshakeAgeSeconds ?? []);
  return {
    device_id: device.id,
    ready: node !== undefined && device.revision !== null && node.appliedRevision >= device.revision,
    connected: states.some(({ isConnected }) => isConnected),
    handshake_age_seconds: ages.length > 0 ? Math.min(...ages) : null,
    received_bytes: states.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
    sent_bytes: states.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
  };
}

export function viewOf(
  device: Named<OwnedDevice>,
  directory: ReadonlyMap<string, NodeRow>,
  keyLife: KeyLife,
): Omit<Device, "connection"> {
  const { id, name, type, state, public_key, key_origin, created_on } = device;
  const { key_version, key_made_on, rotation_days } = device;
  return {
    id,
    name,
    type,
    state,
    public_key,
    key_origin,
    server: serverOf(device.node_id, directory),
    created_on,
    key_version,
    key_made_on,
    rotation_days,
    next_rotation_on: nextRotationOn(device, keyLife),
    retiring: device.retiring.map((peer) => ({
      public_key: peer.public_key,
      server: serverOf(peer.node_id, directory),
      valid_until: peer.retires_on,
    })),
  };
}

function serverOf(nodeId: string | null, directory: ReadonlyMap<string, NodeRow>): Device["server"] {
  const node = nodeId === null ? undefined : directory.get(nodeId);
  return node ? { id: node.id, name: node.name, region: node.region } : null;
}
