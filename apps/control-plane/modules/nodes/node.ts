import type { NodeState, Node as NodeView, Server } from "@securewave/contracts";
import type { Tables } from "@securewave/database";
import { type NodePresence, rangeOf } from "@securewave/live";
import type { Selectable } from "kysely";

export type NodeRow = Selectable<Tables["nodes"]>;

const LOAD_MEDIUM = 0.5;
const LOAD_HIGH = 0.8;
const QUARANTINED =
  "It reported figures that cannot be. What it counts is left out. Look into the machine, then trust it again.";

/** A node's state follows from what is stored of it and whether it is connected. */
export function stateOf(node: NodeRow, presence: NodePresence | undefined): NodeState {
  if (node.joined_on === null) return "joining";
  if (!presence) return "offline";
  if (presence.problem !== undefined || node.counting === "quarantined") return "degraded";
  return node.is_draining ? "draining" : "healthy";
}

/** Whether new devices may be given to it. */
export function takesDevices(node: NodeRow, presence: NodePresence | undefined): boolean {
  return stateOf(node, presence) === "healthy" && node.devices < node.capacity;
}

export function loadOf(node: NodeRow): number {
  return node.devices / node.capacity;
}

export function viewOf(node: NodeRow, presence: NodePresence | undefined, connectedCount: number): NodeView {
  const { id, name, region, latitude, longitude, capacity, tags, devices, revision, joined_on } = node;
  return {
    id,
    name,
    region,
    latitude,
    longitude,
    capacity,
    tags,
    state: stateOf(node, presence),
    problem: presence?.problem ?? (node.counting === "quarantined" ? QUARANTINED : null),
    endpoint:
      node.endpoint_host !== null && node.endpoint_port !== null
        ? { host: node.endpoint_host, port: node.endpoint_port }
        : null,
    public_key: node.wireguard_public_key,
    devices,
    connected: rangeOf(connectedCount),
    quarantined: node.counting === "quarantined",
    revision,
    applied_revision: presence?.appliedRevision ?? null,
    agent_version: presence?.agentVersion ?? node.agent_version,
    joined_on,
  };
}

export function serverViewOf(node: NodeRow, presence: NodePresence | undefined): Server {
  const { id, name, region, latitude, longitude } = node;
  const load = loadOf(node);
  return {
    id,
    name,
    region,
    latitude,
    longitude,
    available: takesDevices(node, presence),
    load: load >= LOAD_HIGH ? "high" : load >= LOAD_MEDIUM ? "medium" : "low",
  };
}
