import { type Alternative, nearestAlternative } from "./alternative.ts";
import type { Fleet } from "./fleet.ts";
import { createOfferCheck, offeredRows } from "./offered.ts";
import { arcKm, distanceKm, type Place } from "./place.ts";
import { fnv1a, weightOf } from "./rendezvous.ts";
import {
  DISTANCE_POINTS_MAX,
  distancePoints,
  fineGradeOf,
  floorOf,
  gradeOf,
  scoreOf,
  squareWithin,
} from "./score.ts";
import type { Server } from "./server.ts";
import { placeOf, type Wish } from "./wish.ts";

/** A server that takes devices and is open to the customer. */
export type Offer = {
  readonly server: Server;
  readonly score: number;
  /** Undefined when the customer's place or the server's is not known. */
  readonly distanceKm: number | undefined;
};

export type Choice =
  | ({
      readonly kind: "chosen";
      /** When all servers of the wished region are degraded: the nearest region with a healthy one. */
      readonly alternative?: Alternative;
    } & Offer)
  | {
      readonly kind: "unavailable";
      /** The nearest region with a server, a healthy one if there is any; absent when no region was wished. */
      readonly alternative?: Alternative;
    };

/** Nothing is farther from it than from any other place, as no comparison with NaN holds. */
const UNKNOWN: Place = { x: Number.NaN, y: Number.NaN, z: Number.NaN };

/**
 * Gives the best server for a wish. Those of one grade are equally good (`gradeOf`), and the wish's seed decides among
 * them (`rendezvous.ts`). One pass, without an object per server.
 *
 * @throws RangeError when the wish's coordinates are out of range
 */
export function chooseServer(fleet: Fleet, wish: Wish): Choice {
  const place = placeOf(wish);
  const row = bestRow(fleet, wish, place);
  const offer = row === -1 ? undefined : offerOf(fleet, row, place);
  const isWell = wish.region === undefined || offer?.server.state === "healthy" || hasHealthy(fleet, wish);
  const alternative = isWell ? undefined : nearestAlternative(fleet, wish, offer !== undefined);
  return {
    ...(offer === undefined ? { kind: "unavailable" } : { kind: "chosen", ...offer }),
    ...(alternative && { alternative }),
  };
}

/**
 * Gives the best servers for a wish, the best first and in the order in which `chooseServer` would choose them were
 * those before not there. Sorts all that are offered: for a person's eyes, not for each request of a program.
 *
 * @throws RangeError when the wish's coordinates are out of range
 */
export function rank(fleet: Fleet, wish: Wish, limit: number): Offer[] {
  const place = placeOf(wish);
  const { weigh, isPreferred } = createTieBreak(fleet, wish.seed);
  return offeredRows(fleet, wish)
    .map((row) => {
      const offer = offerOf(fleet, row, place);
      return { row, offer, grade: gradeOf(offer.score), weight: weigh(row) };
    })
    .sort((a, b) => b.grade - a.grade || (isPreferred(a.row, a.weight, b.row, b.weight) ? -1 : 1))
    .slice(0, limit)
    .map(({ offer }) => offer);
}

/** @returns -1 when none is offered */
function bestRow(fleet: Fleet, wish: Wish, place: Place | undefined): number {
  const { base, x, y, z, hash } = fleet.columns;
  const isOffered = createOfferCheck(fleet, wish);
  const { seedHash, isPreferred } = createTieBreak(fleet, wish.seed);
  const { x: fromX, y: fromY, z: fromZ } = place ?? UNKNOWN;
  const isPlaced = place !== undefined;
  const count = fleet.servers.length;
  let best = -1;
  let bestGrade = -1;
  let bestWeight = 0;
  let floor = Number.NEGATIVE_INFINITY;
  /** Of the next better grade. */
  let ceiling = Number.NEGATIVE_INFINITY;
  /** What distance may take, and the square of how far that is: the same for many servers. */
  let spare = Number.NaN;
  let within = Number.POSITIVE_INFINITY;
  for (let row = 0; row < count; row++) {
    // From the cheapest question to the dearest: once a good server was seen, most rows go at one of the first three.
    const nearby = at(base, row);
    if (!(nearby >= floor)) continue;
    const weight = weightOf(seedHash, hash[row] ?? 0);
    const least = weight < bestWeight ? ceiling : floor; // behind by weight, it takes a better grade
    if (nearby < least) continue;
    if (nearby - least !== spare) {
      spare = nearby - least;
      within = squareWithin(spare);
    }
    const square = squareOf(at(x, row) - fromX, at(y, row) - fromY, at(z, row) - fromZ);
    if (square > within || !isOffered(row)) continue;
    const fine = fineGradeOf(scoreOf(nearby, pointsOf(square, isPlaced)));
    if (fine < bestGrade || (fine < bestGrade + 1 && !isPreferred(row, weight, best, bestWeight))) continue;
    best = row;
    bestGrade = Math.floor(fine);
    bestWeight = weight;
    floor = floorOf(bestGrade);
    ceiling = floorOf(bestGrade + 1);
  }
  return best;
}

function at(column: Float64Array, row: number): number {
  return column[row] ?? Number.NaN;
}

function squareOf(dx: number, dy: number, dz: number): number {
  return dx * dx + dy * dy + dz * dz;
}

/** Whether a row goes before another of its grade: by weight, where that is the same by a second one, then by id. */
function createTieBreak(fleet: Fleet, seed: string) {
  const { hash, secondHash } = fleet.columns;
  const seedHash = fnv1a(seed);
  const weigh = (row: number) => weightOf(seedHash, hash[row] ?? 0);
  const weighAgain = (row: number) => weightOf(seedHash, secondHash[row] ?? 0);
  const isPreferred = (row: number, weight: number, other: number, otherWeight: number) => {
    if (weight !== otherWeight) return weight > otherWeight;
    if (weighAgain(row) !== weighAgain(other)) return weighAgain(row) > weighAgain(other);
    return fleet.serverOfRow(row).id < fleet.serverOfRow(other).id;
  };
  return { seedHash, weigh, isPreferred };
}

function pointsOf(square: number, isPlaced: boolean): number {
  if (!isPlaced) return 0;
  return square === Number.POSITIVE_INFINITY ? DISTANCE_POINTS_MAX : distancePoints(arcKm(Math.sqrt(square)));
}

function offerOf(fleet: Fleet, row: number, place: Place | undefined): Offer {
  const server = fleet.serverOfRow(row);
  const own = fleet.placeOfRow(row);
  const km = place && own && distanceKm(place, own);
  const unplaced = place === undefined ? 0 : DISTANCE_POINTS_MAX;
  const points = km === undefined ? unplaced : distancePoints(km);
  return { server, score: scoreOf(fleet.columns.base[row] ?? 0, points), distanceKm: km };
}

function hasHealthy(fleet: Fleet, wish: Wish): boolean {
  const isOffered = createOfferCheck(fleet, wish);
  return fleet.servers.some(({ state }, row) => state === "healthy" && isOffered(row));
}
