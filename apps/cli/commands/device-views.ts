import type { api, Device, DeviceWithTunnel, ResultOf } from "@securewave/contracts";
import { formatEndpoint } from "@securewave/wireguard";
import type { Call } from "../call.ts";
import { humanBytes, humanDay, humanDuration } from "../human.ts";
import { type Column, type Output, plain, type Style } from "../output.ts";

export type FleetDevice = ResultOf<typeof api.fleetDevices.list>["items"][number];

const STATE_STYLES: Readonly<Record<Device["state"], Style>> = { active: "green", revoked: "red" };

/** Columns that one's own devices and those of the fleet share. */
function sharedColumns<Item extends Omit<Device, "connection">>(): Column<Item>[] {
  return [
    { title: "NAME", value: (device) => device.name, style: () => "bold" },
    { title: "TYPE", value: (device) => device.type },
    { title: "STATE", value: (device) => device.state, style: (device) => STATE_STYLES[device.state] },
    { title: "SERVER", value: (device) => device.server?.name ?? "-" },
  ];
}

export function ownDeviceColumns(): Column<Device>[] {
  return [
    ...sharedColumns<Device>(),
    { title: "CONNECTION", value: connectionText },
    { title: "RECEIVED", value: (device) => humanBytes(device.connection.received_bytes), align: "right" },
    { title: "SENT", value: (device) => humanBytes(device.connection.sent_bytes), align: "right" },
  ];
}

export function fleetDeviceColumns({ nowMs }: Call): Column<FleetDevice>[] {
  return [
    ...sharedColumns<FleetDevice>(),
    { title: "CREATED", value: (device) => humanDay(device.created_on, nowMs) },
    { title: "ACCOUNT", value: (device) => device.account_id },
    { title: "ID", value: (device) => device.id },
  ];
}

export function deviceFields(
  out: Output,
  device: Device | DeviceWithTunnel,
  nowMs: number,
): [string, string | undefined][] {
  const tunnel = "tunnel" in device ? device.tunnel : null;
  const { connection, server } = device;
  return [
    ["Device", plain(device.name)],
    ["Id", device.id],
    ["Type", device.type],
    ["State", out.style(STATE_STYLES[device.state], device.state)],
    ["Server", server === null ? "none" : `${server.name}, ${plain(server.region)}`],
    ["Connection", connectionText(device)],
    [
      "Traffic",
      `${humanBytes(connection.received_bytes)} received, ${humanBytes(connection.sent_bytes)} sent`,
    ],
    ["Public key", device.public_key],
    [
      "Key",
      `number ${device.key_version}, made ${humanDay(device.key_made_on, nowMs)} ${device.key_origin === "customer" ? "by the customer" : "by the service"}`,
    ],
    ["Next key", device.next_rotation_on === null ? "never" : humanDay(device.next_rotation_on, nowMs)],
    ["Former ones", formerPlaces(device)],
    ["Preshared key", tunnel?.preshared_key_agreed ? "agreed by ML-KEM-1024" : undefined],
    ["Addresses", tunnel?.addresses.join(", ")],
    ["Endpoint", tunnel === null ? undefined : formatEndpoint(tunnel.endpoint)],
    ["Created", humanDay(device.created_on, nowMs)],
  ];
}

/** Configurations from before, which work for a while more. */
function formerPlaces({ retiring }: Device): string | undefined {
  const places = retiring.map(({ server, valid_until }) => {
    return `${server === null ? "" : `on ${server.name} `}until ${valid_until}`;
  });
  return places.length === 0 ? undefined : `work ${places.join(", ")} (UTC)`;
}

function connectionText({ connection, state }: Device): string {
  const { connected, handshake_age_seconds, ready } = connection;
  if (state === "revoked") return "-";
  if (connected) {
    return handshake_age_seconds === null
      ? "connected"
      : `connected, handshake ${humanDuration(handshake_age_seconds)} ago`;
  }
  return ready ? "not connected" : "not on its server yet";
}
