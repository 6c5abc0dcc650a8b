import { distanceKm, EARTH_RADIUS_KM, placeAt } from "./place.ts";
import { loadOf, type Server } from "./server.ts";
import { placeOf, type Wish } from "./wish.ts";

const BEST = 100;
const LOAD_POINTS = 40;
const UNHEALTHY_POINTS = 30;
/** For a server that may be anywhere, too. */
export const DISTANCE_POINTS_MAX = 30;
const KM_PER_POINT = 1000;

/**
 * How well a server suits a wish, 0…100, higher is better. From 100 it takes
 *
 * - the load × 40, the load being the scarcer of room and measured load;
 * - 30 unless the server is healthy;
 * - the distance in thousands of kilometres, at most 30. Nothing when the customer's place is not known, all 30 when
 *   the server's alone is not.
 *
 * A wished region neither adds nor takes points: it says which servers are asked at all, so that nobody who chose a
 * country comes out of another one. Whether the server takes devices is not asked here either.
 *
 * @throws RangeError when coordinates are out of range
 */
export function score(server: Server, wish: Wish): number {
  const from = placeOf(wish);
  if (from === undefined) return scoreOf(baseScore(server), 0);
  if (server.coordinates === undefined) return scoreOf(baseScore(server), DISTANCE_POINTS_MAX);
  return scoreOf(baseScore(server), distancePoints(distanceKm(from, placeAt(server.coordinates))));
}

/** The score as it were at no distance: what does not depend on the wish. */
export function baseScore(server: Server): number {
  return BEST - loadOf(server) * LOAD_POINTS - (server.state === "healthy" ? 0 : UNHEALTHY_POINTS);
}

export function distancePoints(km: number): number {
  return Math.min(km / KM_PER_POINT, DISTANCE_POINTS_MAX);
}

export function scoreOf(base: number, points: number): number {
  return Math.max(0, base - points);
}

/**
 * The score in tenths of a point: a hundred kilometres, or a quarter of a per cent of load. Servers of one grade are
 * equally good, since no customer can tell them apart; a finer choice would send everybody to one server at a time.
 */
export function gradeOf(points: number): number {
  return Math.floor(fineGradeOf(points));
}

/** The grade before it is cut to a whole number: where that is too dear, this is compared with a grade and the next one. */
export function fineGradeOf(points: number): number {
  return points * 10 + 0.5;
}

/** No score below it is of the grade: a little less than the least one that is, so that no rounding matters. */
export function floorOf(grade: number): number {
  return grade === 0 ? Number.NEGATIVE_INFINITY : (grade - 0.5) / 10 - 1e-6;
}

const STEPS_PER_POINT = 64;
/** More than what a straight line between two steps is off by, of a curve whose bend is at most 2 × radians² per point². */
const SQUARE_SLACK = 2e-6;
const RADIANS_PER_POINT = KM_PER_POINT / EARTH_RADIUS_KM;
/** By steps of points: the square of the chord that belongs to the way along the surface, as far as there is a way. */
const SQUARES = Float64Array.from(
  { length: Math.ceil((Math.PI / RADIANS_PER_POINT) * STEPS_PER_POINT) + 2 },
  (_, step) => 2 - 2 * Math.cos(Math.min(Math.PI, (step / STEPS_PER_POINT) * RADIANS_PER_POINT)),
);
const STEPS_MAX = SQUARES.length - 2;

/**
 * Beyond a chord with this square, distance takes more than so many points; a little more than the least such one. An
 * infinite square stands for a place that is not known, which takes as many as any.
 */
export function squareWithin(points: number): number {
  if (points >= DISTANCE_POINTS_MAX) return Number.POSITIVE_INFINITY;
  const steps = points * STEPS_PER_POINT;
  if (steps >= STEPS_MAX) return Number.MAX_VALUE;
  if (steps < 0) return Number.NEGATIVE_INFINITY;
  const step = Math.floor(steps);
  const square = SQUARES[step] ?? 0;
  return square + ((SQUARES[step + 1] ?? 0) - square) * (steps - step) + SQUARE_SLACK;
}
