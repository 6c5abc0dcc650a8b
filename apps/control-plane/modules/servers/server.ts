import type { Server as ServerView } from "@securewave/contracts";
import type { NodePresence } from "@securewave/live";
import { loadOf, type Offer, type Server, takesDevices } from "@securewave/placement";
import { type NodeRow, stateOf } from "../nodes/index.ts";

/** From which share of its room on a server counts as how loaded. */
const LOADS = [
  { name: "high", from: 0.8 },
  { name: "medium", from: 0.5 },
  { name: "low", from: 0 },
] as const;

type Load = (typeof LOADS)[number];

/**
 * What placement is to know of a node; undefined for one that customers do not see. How loaded its machine is does not
 * count: where devices are placed is stored, and what goes on in tunnels must not be read from that (ZERO-LOG R1).
 */
export function serverOf(node: NodeRow, presence: NodePresence | undefined): Server | undefined {
  const { id, region, latitude, longitude, devices, capacity, tags } = node;
  const state = placingStateOf(node, presence);
  if (state === undefined) return undefined;
  return {
    id,
    region,
    state,
    coordinates: latitude === null || longitude === null ? undefined : { latitude, longitude },
    peers: devices,
    capacity,
    tags,
  };
}

/** One that drains stays so when something is wrong with it; one that says itself that it cannot serve is given nobody. */
function placingStateOf(node: NodeRow, presence: NodePresence | undefined): Server["state"] | undefined {
  const state = stateOf(node, presence);
  if (state === "joining" || state === "removed") return undefined;
  if (node.is_draining) return "draining";
  return node.cloned_on !== null || presence?.problem !== undefined ? "offline" : state;
}

/**
 * As customers see it: how loaded it is in steps, and scored by these. The exact score would tell how many devices it
 * has.
 */
export function shownOf(server: Server): Server {
  return { ...server, peers: 0, load: stepOf(loadOf(server)).from };
}

export function viewOf(
  node: Pick<NodeRow, "name" | "latitude" | "longitude">,
  server: Server,
  { score, distanceKm }: Pick<Offer, "score" | "distanceKm">,
  allowedTags: readonly string[],
): ServerView {
  return {
    id: server.id,
    name: node.name,
    region: server.region,
    latitude: node.latitude,
    longitude: node.longitude,
    available: takesDevices(server),
    included: isIncluded(server, allowedTags),
    load: stepOf(loadOf(server)).name,
    score: Math.round(score),
    distance_km: distanceKm === undefined ? null : Math.round(distanceKm),
  };
}

/** Whether a plan with these tags has the server. */
export function isIncluded({ tags }: Pick<Server, "tags">, allowedTags: readonly string[]): boolean {
  return tags.every((tag) => allowedTags.includes(tag));
}

function stepOf(load: number): Load {
  return LOADS.find(({ from }) => load >= from) ?? LOADS[2];
}
