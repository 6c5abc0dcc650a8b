import type { Node } from "@securewave/contracts";
import { type Point, pointOf } from "../../components/world.ts";
import { severityOf } from "./fleet.ts";

export interface Place extends Point {
  readonly node: Node;
}

/** Nodes that are too near to each other to be told apart, at their middle. */
export interface Cluster extends Point {
  /** The worst state first, then by name; never empty. */
  readonly nodes: readonly [Node, ...Node[]];
  readonly id: string;
}

/** In units of the map. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Those that have coordinates. */
export function placesOf(nodes: readonly Node[]): Place[] {
  return nodes.flatMap((node) =>
    node.latitude === null || node.longitude === null
      ? []
      : [{ node, ...pointOf({ latitude: node.latitude, longitude: node.longitude }) }],
  );
}

interface Group {
  x: number;
  y: number;
  readonly places: Place[];
}

/**
 * Puts places together that touch: afterwards no two clusters are nearer than that to each other.
 *
 * @param touching in units of the map
 */
export function clustersOf(places: readonly Place[], touching: number): Cluster[] {
  let groups: Group[] = places.map((place) => ({ x: place.x, y: place.y, places: [place] }));
  for (;;) {
    const merged = mergeOnce(groups, touching);
    if (merged.length === groups.length) return merged.map(clusterOf);
    groups = merged;
  }
}

/** Each group goes into the first one that it touches, among those in the neighbouring cells of a grid. */
function mergeOnce(groups: readonly Group[], touching: number): Group[] {
  const cells = new Map<string, Group[]>();
  const merged: Group[] = [];
  for (const group of groups) {
    const [column, row] = [Math.floor(group.x / touching), Math.floor(group.y / touching)];
    const near = NEIGHBOURS.flatMap(([right, down]) => cells.get(`${column + right} ${row + down}`) ?? []);
    const host = near.find(({ x, y }) => Math.hypot(x - group.x, y - group.y) < touching);
    if (host) {
      const share = group.places.length / (host.places.length + group.places.length);
      host.x += (group.x - host.x) * share;
      host.y += (group.y - host.y) * share;
      host.places.push(...group.places);
      continue;
    }
    const own = { ...group, places: [...group.places] };
    merged.push(own);
    const key = `${column} ${row}`;
    cells.set(key, [...(cells.get(key) ?? []), own]);
  }
  return merged;
}

const NEIGHBOURS = [-1, 0, 1].flatMap((right) => [-1, 0, 1].map((down) => [right, down] as const));

function clusterOf({ x, y, places }: Group): Cluster {
  const [first, ...rest] = places
    .map(({ node }) => node)
    .sort(
      (one, other) => severityOf(one.state) - severityOf(other.state) || one.name.localeCompare(other.name),
    );
  if (first === undefined) throw new Error("a cluster of nothing");
  const id = places.reduce((least, { node }) => (node.id < least ? node.id : least), first.id);
  return { x, y, nodes: [first, ...rest], id };
}

/** The part of a world that holds all of these places, with room around them. */
export function viewOf(places: readonly Point[], world: View, widthMin: number): View {
  if (places.length === 0) return world;
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const ratio = world.width / world.height;
  const width = Math.min(world.width, Math.max(widthMin, (right - left) * 1.4, (bottom - top) * 1.6 * ratio));
  const height = width / ratio;
  return {
    x: within((left + right - width) / 2, world.x, world.x + world.width - width),
    y: within((top + bottom - height) / 2, world.y, world.y + world.height - height),
    width,
    height,
  };
}

function within(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

/** The nearest to one in a direction; what lies aside counts thrice. */
export function neighbourOf<Spot extends Point>(
  spots: readonly Spot[],
  from: Point,
  direction: Point,
): Spot | undefined {
  let nearest: { spot: Spot; distance: number } | undefined;
  for (const spot of spots) {
    const [right, down] = [spot.x - from.x, spot.y - from.y];
    const ahead = right * direction.x + down * direction.y;
    const aside = Math.abs(right * direction.y) + Math.abs(down * direction.x);
    if (ahead <= 0 || ahead < aside / 3) continue;
    const distance = ahead + 3 * aside;
    if (nearest === undefined || distance < nearest.distance) nearest = { spot, distance };
  }
  return nearest?.spot;
}
