import { geoGraticule, geoNaturalEarth1, geoPath } from "d3-geo";
import { feature } from "topojson-client";
import topology from "world-atlas/land-110m.json";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Coordinates {
  /** In degrees, as all of them. */
  readonly latitude: number;
  readonly longitude: number;
}

/** In the map's own units, as all lengths here. */
export const WORLD_WIDTH = 1000;
/** North and south of these stand no servers. */
const NORTH = 81;
const SOUTH = -56;

const projection = geoNaturalEarth1().fitWidth(WORLD_WIDTH, { type: "Sphere" });
const top = yOf(NORTH);
export const WORLD_HEIGHT = Math.round(yOf(SOUTH) - top);
const [shiftX, shiftY] = projection.translate();
projection.translate([shiftX, shiftY - top]).clipExtent([
  [0, 0],
  [WORLD_WIDTH, WORLD_HEIGHT],
]);

const draw = geoPath(projection).digits(1);

/** As the `d` of an SVG path. */
export const landPath = draw(feature(topology, "land")) ?? "";
export const graticulePath = draw(geoGraticule().step([30, 30])()) ?? "";

export function pointOf({ latitude, longitude }: Coordinates): Point {
  const [x, y] = projection([longitude, latitude]) ?? [0, 0];
  return { x, y };
}

/** @returns undefined beside the world; rounded to a hundredth of a degree, about a kilometre */
export function coordinatesAt({ x, y }: Point): Coordinates | undefined {
  const [longitude, latitude] = projection.invert?.([x, y]) ?? [];
  if (longitude === undefined || latitude === undefined) return undefined;
  // Beside its edge the world begins anew on the other side.
  const there = pointOf({ latitude, longitude });
  if (!(Math.hypot(there.x - x, there.y - y) < 1)) return undefined;
  return { latitude: round(latitude), longitude: round(longitude) };
}

function round(degrees: number): number {
  return Math.round(degrees * 100) / 100;
}

function yOf(latitude: number): number {
  return projection([0, latitude])?.[1] ?? 0;
}
