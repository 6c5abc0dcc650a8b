import type { Fleet } from "./fleet.ts";
import { createOfferCheck } from "./offered.ts";
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
  const { base, region, x, y, z } = fleet.columns;
  const isOffered = createOfferCheck(fleet, { ...wish, region: undefined });
  const wished = wish.region === undefined ? -1 : fleet.regionNumber(wish.region);
  let best = -1;
  let bestSquare = Number.POSITIVE_INFINITY;
  let isBestHealthy = isHealthyOnly;

  function goesBefore(row: number, square: number, isHealthy: boolean): boolean {
    if (best === -1 || isHealthy !== isBestHealthy) return true;
    if (square !== bestSquare) return square < bestSquare;
    const more = (base[row] ?? 0) - (base[best] ?? 0);
    return more > 0 || (more === 0 && fleet.serverOfRow(row).region < fleet.serverOfRow(best).region);
  }

  for (let row = 0; row < fleet.servers.length; row++) {
    const isHealthy = fleet.servers[row]?.state === "healthy";
    if (region[row] === wished || (isBestHealthy && !isHealthy)) continue;
    const square = from === undefined ? Number.POSITIVE_INFINITY : squareOf(from, x[row], y[row], z[row]);
    if (!goesBefore(row, square, isHealthy) || !isOffered(row)) continue;
    best = row;
    bestSquare = square;
    isBestHealthy = isHealthy;
  }
  return best === -1 ? undefined : alternativeOf(fleet, best, from);
}

function alternativeOf(fleet: Fleet, row: number, from: Place | undefined): Alternative {
  const place = fleet.placeOfRow(row);
  return { region: fleet.serverOfRow(row).region, distanceKm: from && place && distanceKm(from, place) };
}

/** Of the chord; infinite when the server's place is not known. */
function squareOf(from: Place, x = Number.POSITIVE_INFINITY, y = 0, z = 0): number {
  const [dx, dy, dz] = [x - from.x, y - from.y, z - from.z];
  return dx * dx + dy * dy + dz * dz;
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
