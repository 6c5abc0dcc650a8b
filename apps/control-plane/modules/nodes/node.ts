import type { NodeHealth, NodeState, Node as NodeView } from "@securewave/contracts";
import { NODE_PROTOCOL_VERSION } from "@securewave/contracts/node-protocol";
import type { Tables } from "@securewave/database";
import { type NodePresence, rangeOf } from "@securewave/live";
import type { Selectable } from "kysely";

export type NodeRow = Selectable<Tables["nodes"]>;

const QUARANTINED =
  "It reported figures that cannot be. What it counts is left out. Look into the machine, then trust it again.";
const CLONED =
  "Two machines had its credential, so it works for neither; what they have, they serve on. Find the copy, then make a fresh join token and join the right one anew.";

const ENDED =
  "Its credential was ended, and it had made no other one; what it has, it serves on. Make a fresh join token and join it anew.";

/** What is known of a node beside its row. */
export interface NodeFacts {
  readonly presence: NodePresence | undefined;
  readonly connectedCount: number;
  /** In which other version of the protocol its agent asks in vain. */
  readonly outdatedProtocol: number | undefined;
  /** The version of the agent that is served here. */
  readonly agentVersion: string | undefined;
  /** The last day on which devices that were moved away can use it. */
  readonly formerPlacesUntil: string | undefined;
  readonly health: NodeHealth | undefined;
}

/** A node's state follows from what is stored of it and whether it is connected. */
export function stateOf(node: NodeRow, presence: NodePresence | undefined): NodeState {
  if (node.removed_on !== null) return "removed";
  if (node.joined_on === null) return "joining";
  if (!presence) return "offline";
  if (
    presence.problem !== undefined ||
    presence.finding !== undefined ||
    node.counting === "quarantined" ||
    node.cloned_on !== null
  )
    return "degraded";
  return node.is_draining ? "draining" : "healthy";
}

function problemOf(node: NodeRow, { presence, outdatedProtocol }: NodeFacts): string | null {
  if (node.removed_on !== null) return null;
  if (node.cloned_on !== null) return CLONED;
  if (node.joined_on !== null && node.credential === null) return ENDED;
  if (presence?.problem !== undefined) return presence.problem;
  if (presence?.finding !== undefined) return presence.finding;
  if (node.counting === "quarantined") return QUARANTINED;
  if (presence || outdatedProtocol === undefined) return leftoverOf(node);
  return outdatedProtocol < NODE_PROTOCOL_VERSION
    ? `Its agent speaks protocol ${outdatedProtocol}, and this service ${NODE_PROTOCOL_VERSION}; update it.`
    : `Its agent speaks protocol ${outdatedProtocol}, and this service only ${NODE_PROTOCOL_VERSION}; update the service, or give the node its agent.`;
}

/** What keeps a draining node from being empty. */
function leftoverOf({ is_draining, devices }: NodeRow): string | null {
  if (!is_draining || devices === 0) return null;
  const are = devices === 1 ? "1 device is" : `${devices} devices are`;
  return `${are} still to be moved. Should that last for more than some minutes, no other server that their plans have takes them: add one, or raise its capacity.`;
}

export function viewOf(node: NodeRow, facts: NodeFacts): NodeView {
  const { id, name, region, latitude, longitude, capacity, tags, devices, revision } = node;
  const presence = node.removed_on === null ? facts.presence : undefined;
  const agent_version = presence?.agentVersion ?? node.agent_version;
  const isKnown = agent_version !== null && facts.agentVersion !== undefined;
  return {
    id,
    name,
    region,
    latitude,
    longitude,
    capacity,
    tags,
    state: stateOf(node, presence),
    problem: problemOf(node, facts),
    endpoint:
      node.endpoint_host !== null && node.endpoint_port !== null
        ? { host: node.endpoint_host, port: node.endpoint_port }
        : null,
    public_key: node.wireguard_public_key,
    devices,
    connected: rangeOf(facts.connectedCount),
    draining: node.is_draining,
    quarantined: node.counting === "quarantined",
    revision,
    applied_revision: presence?.appliedRevision ?? null,
    agent_version,
    agent_is_current: isKnown ? agent_version === facts.agentVersion : null,
    joined_on: node.joined_on,
    removed_on: node.removed_on,
    former_places_until: facts.formerPlacesUntil ?? null,
    health: facts.health ?? null,
  };
}
