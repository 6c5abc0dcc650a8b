import type { Server } from "@securewave/contracts";
import { formatDistance, whyNot } from "../servers.ts";
import { LoadMeter } from "./load.tsx";

/** How a server is for the reader: how busy, or why it cannot be chosen. */
export function ServerState({ server }: { server: Server }) {
  const reason = whyNot(server);
  if (reason === undefined) return <LoadMeter load={server.load} />;
  return <span className="text-muted text-sm">{reason}</span>;
}

export function Distance({ km }: { km: number | null | undefined }) {
  if (km === null || km === undefined) return null;
  return <span className="figures whitespace-nowrap text-muted text-sm">{formatDistance(km)}</span>;
}
