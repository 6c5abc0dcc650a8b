import type { Presence } from "@securewave/live";
import { createFleet, type Fleet } from "@securewave/placement";
import type { NodeRow, Nodes } from "../nodes/index.ts";
import { serverOf } from "./server.ts";

export interface FleetOptions {
  readonly nodes: Pick<Nodes, "directory" | "onDirectoryRead">;
  readonly presence: Pick<Presence, "of" | "subscribe">;
}

/** The fleet as placement knows it, kept up with the registry and with who is connected. */
export interface FleetFollower {
  /** As it is at this moment. */
  read(): Promise<{ readonly fleet: Fleet; readonly nodes: ReadonlyMap<string, NodeRow> }>;
}

export function followFleet({ nodes, presence }: FleetOptions): FleetFollower {
  const fleet = createFleet();
  let known: ReadonlyMap<string, NodeRow> = new Map();

  function follow(id: string): void {
    const node = known.get(id);
    const server = node && serverOf(node, presence.of(id));
    if (server) fleet.put(server);
    else fleet.remove(id);
  }

  nodes.onDirectoryRead((ids, read) => {
    known = read;
    for (const id of ids) follow(id);
  });
  presence.subscribe(follow);

  return {
    async read() {
      return { fleet, nodes: await nodes.directory() };
    },
  };
}
