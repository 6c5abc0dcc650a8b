import type { Device } from "@securewave/contracts";
import { ArrowDown, ArrowUp } from "lucide-react";
import { formatAge, formatBytes } from "../format.ts";
import { type HeardConnection, type LiveConnections, useHandshakeAge } from "../use-connections.ts";
import { Wave } from "./brand.tsx";

type ShownConnection = Device["connection"] | HeardConnection;

export function connectionOf(device: Device, live: LiveConnections): ShownConnection {
  return live.byDevice.get(device.id) ?? device.connection;
}

/** What to call the state of a device, in two words at most. */
export function connectionWord(device: Pick<Device, "state">, connection: ShownConnection): string {
  if (device.state === "revoked") return "Revoked";
  if (connection.connected) return "Connected";
  return connection.ready ? "Not connected" : "Being set up";
}

export function ConnectionState({
  device,
  connection,
}: {
  device: Pick<Device, "state">;
  connection: ShownConnection;
}) {
  const isOn = device.state === "active" && connection.connected;
  return (
    <span
      className={`inline-flex items-center gap-2.5 font-medium text-sm ${isOn ? "text-good" : "text-muted"}`}
    >
      <Wave isRunning={isOn} />
      {connectionWord(device, connection)}
    </span>
  );
}

/** The node counts from its own side: what it sent, the device received. */
export function SessionBytes({ connection }: { connection: ShownConnection }) {
  return (
    <span className="figures inline-flex flex-wrap gap-x-3 text-muted text-sm">
      <span className="inline-flex items-center gap-1">
        <ArrowDown className="size-3.5" aria-hidden="true" />
        <span className="sr-only">Received </span>
        {formatBytes(connection.sent_bytes)}
      </span>
      <span className="inline-flex items-center gap-1">
        <ArrowUp className="size-3.5" aria-hidden="true" />
        <span className="sr-only">Sent </span>
        {formatBytes(connection.received_bytes)}
      </span>
    </span>
  );
}

export function HandshakeAge({ connection }: { connection: ShownConnection }) {
  const age = useHandshakeAge(connection);
  if (age === undefined) return null;
  return <span className="figures text-muted text-sm">Handshake {formatAge(age)}</span>;
}

/** Whether what one sees is of this moment. */
export function LiveSign({ live }: { live: LiveConnections }) {
  if (live.isLive === undefined) return null;
  return (
    <span className={`inline-flex items-center gap-2 text-sm ${live.isLive ? "text-muted" : "text-warn"}`}>
      <span
        className={`size-2 rounded-full ${live.isLive ? "bg-good" : "animate-breathe border-2 border-warn"}`}
        aria-hidden="true"
      />
      {live.isLive ? "Live" : "Connecting again…"}
    </span>
  );
}
