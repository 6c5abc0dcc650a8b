import type { Server } from "@securewave/contracts";
import { formatCount } from "./format.ts";

/** Where a device is to be, as the API takes it: a server, a region, or neither where the service chooses. */
export interface Place {
  readonly server_id?: string;
  readonly region?: string;
}

/** What the service is told: of the country only what it needs to choose. */
export function placeInput(place: Place, country: string | undefined): Place & { readonly country?: string } {
  return { ...place, ...(country !== undefined && place.server_id === undefined && { country }) };
}

export function isSamePlace(one: Place, other: Place): boolean {
  return one.server_id === other.server_id && one.region === other.region;
}

/** Whether one can put a device there. */
export function isOpen({ available, included }: Server): boolean {
  return available && included;
}

/** Why a server cannot be chosen; undefined when it can. */
export function whyNot({ available, included }: Server): string | undefined {
  if (!included) return "Not in your plan";
  return available ? undefined : "Takes no devices now";
}

export interface Region {
  readonly name: string;
  /** Those that can be chosen first, then by name. */
  readonly servers: readonly Server[];
  /** To the nearest of them; undefined when not known. */
  readonly distanceKm: number | undefined;
}

/** Servers by region: the nearest region first, or by name where no distance is known. */
export function regionsOf(servers: readonly Server[]): Region[] {
  const byName = new Map<string, Server[]>();
  for (const server of servers) byName.set(server.region, [...(byName.get(server.region) ?? []), server]);
  const regions = [...byName].map(([name, members]): Region => {
    const distances = members.flatMap(({ distance_km }) => distance_km ?? []);
    return {
      name,
      servers: members.toSorted(
        (a, b) => Number(isOpen(b)) - Number(isOpen(a)) || compareText(a.name, b.name),
      ),
      distanceKm: distances.length > 0 ? Math.min(...distances) : undefined,
    };
  });
  const far = Number.POSITIVE_INFINITY;
  return regions.sort((a, b) => {
    const [one, other] = [a.distanceKm ?? far, b.distanceKm ?? far];
    return one === other ? compareText(a.name, b.name) : one - other;
  });
}

/** Why no server of a region can be chosen; undefined when one can. */
export function whyClosed({ servers }: Region): string | undefined {
  if (servers.some(isOpen)) return undefined;
  return servers.some(({ included }) => included)
    ? "No server here takes devices at the moment."
    : "Your plan has no server here.";
}

/** Those whose name or region has each word of what is searched for. */
export function matchingServers(servers: readonly Server[], search: string): Server[] {
  const words = search.toLocaleLowerCase().split(/\s+/);
  return servers.filter(({ name, region }) => {
    const text = `${name} ${region}`.toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** A distance from the middle of a country, which is no more exact than this: `about 450 km`. */
export function formatDistance(km: number): string {
  if (km < 50) return "near";
  return `about ${formatCount(km < 1000 ? Math.round(km / 10) * 10 : Math.round(km / 100) * 100)} km`;
}

/** Names have numbers in them: `EU-2` goes before `EU-10`. */
function compareText(one: string, other: string): number {
  return one.localeCompare(other, undefined, { numeric: true });
}
