import { deviceErrors } from "../devices.ts";
import { type Alternative, type Node, type Server, serverErrors } from "../nodes.ts";
import { type FakeCall, matching, pageOf } from "./fake-call.ts";
import type { FakeNodes } from "./fake-nodes.ts";
import { type FakePlans, planOf } from "./fake-plans.ts";

type Coordinates = readonly [latitude: number, longitude: number];

const EARTH_RADIUS_KM = 6371;
/** Of the other countries the distance is not known. */
const MIDDLES: Readonly<Record<string, Coordinates>> = {
  DE: [51.2, 10.4],
  FR: [46.6, 2.5],
  GB: [52.5, -1.5],
  JP: [36.2, 138.3],
  US: [39.8, -98.6],
};
const STATES_THAT_TAKE = ["healthy", "degraded"];

/** What customers see of nodes, and choose by. */
export function serverHandlers(fleet: FakeNodes, plans: FakePlans) {
  const serversFor = ({ accountId, query }: FakeCall): Server[] =>
    fleet.nodes
      .filter(({ joined_on, removed_on }) => joined_on !== null && removed_on === null)
      .map((node) => serverOf(node, planOf(plans, accountId).server_tags, query.country));
  return {
    "servers.list": (call: FakeCall) => {
      const found = matching(serversFor(call), call.query, ({ name }) => name);
      return pageOf(
        found.toSorted((one, other) => one.name.localeCompare(other.name)),
        call.query,
      );
    },
    "servers.best": (call: FakeCall) => {
      const { region, limit = 10 } = call.query;
      const ranked = bestFirst(serversFor(call));
      const inRegion = ranked.filter((server) => region === undefined || server.region === region);
      const alternative = region === undefined || inRegion.length > 0 ? null : alternativeOf(ranked[0]);
      return { items: inRegion.slice(0, Number(limit)), alternative };
    },
    "servers.status": (call: FakeCall) => {
      const server = serversFor(call).find(({ id }) => id === call.params.id);
      if (!server) throw serverErrors.notFound();
      return server;
    },
  };
}

/**
 * The node that a new or moved device gets, as the service chooses it.
 *
 * @param body what was asked for: `server_id`, or `region` and `country`, or nothing
 * @param present where a device is that moves: without a wish, to another one
 */
export function chooseNode(
  fleet: FakeNodes,
  plans: FakePlans,
  { accountId, body: { server_id, region, country } }: Pick<FakeCall, "accountId" | "body">,
  present?: string,
): Node {
  const tags = planOf(plans, accountId).server_tags;
  const servers = fleet.nodes.map((node) => serverOf(node, tags, country));
  const nodeOf = (server: Server | undefined) => fleet.nodes.find(({ id }) => id === server?.id);
  if (server_id !== undefined) {
    const wanted = servers.find(({ id }) => id === server_id);
    const node = nodeOf(wanted);
    if (!wanted?.available || !node) throw deviceErrors.serverUnavailable();
    if (!wanted.included) throw deviceErrors.serverNotIncluded();
    return node;
  }
  const ranked = bestFirst(servers.filter(({ id }) => id !== present));
  const node = nodeOf(ranked.find((server) => region === undefined || server.region === region));
  if (node) return node;
  const alternative = alternativeOf(ranked[0]);
  if (!alternative) throw present === undefined ? deviceErrors.noServer() : deviceErrors.noOtherServer();
  const far = alternative.distance_km === null ? "" : ` It is ${alternative.distance_km} km away.`;
  throw deviceErrors.regionUnavailable({
    detail: `No server of ${String(region)} takes devices at the moment; the nearest one is in ${alternative.region}.${far}`,
  });
}

function serverOf(node: Node, tagsOfPlan: readonly string[], country: unknown): Server {
  const { id, name, region, latitude, longitude, state } = node;
  const share = node.devices / node.capacity;
  const from = MIDDLES[String(country)];
  const isPlaced = latitude !== null && longitude !== null;
  const distance_km = from && isPlaced ? Math.round(kmBetween(from, [latitude, longitude])) : null;
  const points = 100 - 40 * share - (state === "healthy" ? 0 : 30) - Math.min(30, (distance_km ?? 0) / 1000);
  return {
    id,
    name,
    region,
    latitude,
    longitude,
    available: STATES_THAT_TAKE.includes(state) && share < 1,
    included: node.tags.every((tag) => tagsOfPlan.includes(tag)),
    load: share > 0.8 ? "high" : share > 0.4 ? "medium" : "low",
    score: Math.round(Math.max(0, points)),
    distance_km,
  };
}

/** Those that a device can have. */
function bestFirst(servers: readonly Server[]): Server[] {
  return servers
    .filter(({ available, included }) => available && included)
    .toSorted((one, other) => other.score - one.score || one.name.localeCompare(other.name));
}

function alternativeOf(server: Server | undefined): Alternative | null {
  return server ? { region: server.region, distance_km: server.distance_km } : null;
}

/** Along the surface. */
function kmBetween([latitude, longitude]: Coordinates, [otherLatitude, otherLongitude]: Coordinates): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const turn = Math.sin(radians(otherLongitude - longitude) / 2) ** 2;
  const tilt = Math.sin(radians(otherLatitude - latitude) / 2) ** 2;
  const cosines = Math.cos(radians(latitude)) * Math.cos(radians(otherLatitude));
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(tilt + cosines * turn));
}
