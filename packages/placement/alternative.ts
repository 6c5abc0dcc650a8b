import type { Fleet } from "./fleet.ts";
import { offeredRows } from "./offered.ts";
import { distanceKm, middleOf, type Place } from "./place.ts";
import { placeOf, type Wish } from "./wish.ts";

/** Another region than the one wished. */
export type Alternative = {
  readonly region: string;
  /** From the middle of the wished region, or from the customer when nobody knows where that region is. */
  readonly distanceKm: number | undefined;
};

/**
 * Gives the region whose nearest server is nearest; regions with a healthy server go before all others, and where
 * distance tells nothing, the server that scores best without it decides.
 *
 * @param isHealthyOnly leaves regions out that have degraded servers only
 */
export function nearestAlternative(
  fleet: Fleet,
  wish: Wish,
  isHealthyOnly: boolean,
): Alternative | undefined {
  const from = middleOfRegion(fleet, wish.region) ?? placeOf(wish);
  let best: Candidate | undefined;
  for (const row of offeredRows(fleet, { ...wish, region: undefined })) {
    const { region, state } = fleet.serverOfRow(row);
    const isHealthy = state === "healthy";
    if (region === wish.region || (isHealthyOnly && !isHealthy)) continue;
    const place = fleet.placeOfRow(row);
    const km = (from && place && distanceKm(from, place)) ?? Number.POSITIVE_INFINITY;
    const candidate = { region, isHealthy, km, base: fleet.columns.base[row] ?? 0 };
    if (best === undefined || isBetter(candidate, best)) best = candidate;
  }
  if (best === undefined) return undefined;
  return { region: best.region, distanceKm: Number.isFinite(best.km) ? best.km : undefined };
}

type Candidate = {
  readonly region: string;
  readonly isHealthy: boolean;
  /** Infinity when not known. */
  readonly km: number;
  readonly base: number;
};

function isBetter(one: Candidate, other: Candidate): boolean {
  if (one.isHealthy !== other.isHealthy) return one.isHealthy;
  if (one.km !== other.km) return one.km < other.km;
  if (one.base !== other.base) return one.base > other.base;
  return one.region < other.region;
}

/** From all its servers, whatever their state. */
function middleOfRegion(fleet: Fleet, region: string | undefined): Place | undefined {
  const number = region === undefined ? -1 : fleet.regionNumber(region);
  const places: Place[] = [];
  for (let row = 0; row < fleet.servers.length; row++) {
    if (fleet.columns.region[row] !== number) continue;
    const place = fleet.placeOfRow(row);
    if (place !== undefined) places.push(place);
  }
  // A sum of doubles depends on its order; the order in which servers came must not matter.
  return middleOf(places.sort((a, b) => a.x - b.x || a.y - b.y || a.z - b.z));
}
