import { createFakeNodes } from "@securewave/contracts/testing/fake-nodes";
import { createId } from "@securewave/foundation";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { clustersOf, neighbourOf, type Place, placesOf, viewOf } from "./clusters.ts";

const WORLD = { x: 0, y: 0, width: 1000, height: 400 };
const template = createFakeNodes().add("N", "R");
const placeAt = (x: number, y: number): Place => ({ x, y, node: { ...template, id: createId("node") } });
const spots = fc.array(
  fc.record({
    x: fc.double({ min: 0, max: 1000, noNaN: true }),
    y: fc.double({ min: 0, max: 400, noNaN: true }),
  }),
  { maxLength: 60 },
);

test("each node is in one cluster, and no two clusters touch", () => {
  fc.assert(
    fc.property(spots, fc.double({ min: 1, max: 200, noNaN: true }), (points, touching) => {
      const places = points.map(({ x, y }) => placeAt(x, y));
      const clusters = clustersOf(places, touching);
      const ids = clusters.flatMap(({ nodes }) => nodes.map(({ id }) => id));
      expect(ids.sort()).toEqual(places.map(({ node }) => node.id).sort());
      clusters.forEach((one, index) => {
        for (const other of clusters.slice(index + 1))
          expect(Math.hypot(one.x - other.x, one.y - other.y)).toBeGreaterThanOrEqual(touching);
      });
    }),
    { numRuns: 60 },
  );
});

test("a cluster shows its worst node first and keeps its identity when a state changes", () => {
  const [one, two] = [placeAt(10, 10), placeAt(11, 10)];
  const before = clustersOf([one, two], 20)[0];
  const ill = { ...two, node: { ...two.node, state: "offline" as const } };
  const after = clustersOf([one, ill], 20)[0];
  expect(after?.nodes[0].state).toBe("offline");
  expect(after?.id).toBe(before?.id);
});

test("nodes without coordinates, or with one of two, are not on the map", () => {
  const { nodes } = createFakeNodes();
  expect(placesOf(nodes)).toEqual([]);
  const some = createFakeNodes();
  some.add("A", "R", { latitude: null, longitude: null });
  some.add("B", "R", { latitude: 1, longitude: null });
  some.add("C", "R", { latitude: 0, longitude: 0 });
  expect(placesOf(some.nodes).map(({ node }) => node.name)).toEqual(["C"]);
});

test("a view holds all its places, lies within the world, and keeps the world's proportion", () => {
  fc.assert(
    fc.property(spots, (points) => {
      const view = viewOf(points, WORLD, 100);
      expect(view.width / view.height).toBeCloseTo(2.5);
      expect(view.width).toBeGreaterThanOrEqual(100);
      expect(view.x).toBeGreaterThanOrEqual(0);
      expect(view.x + view.width).toBeLessThanOrEqual(1000.001);
      expect(view.y).toBeGreaterThanOrEqual(0);
      expect(view.y + view.height).toBeLessThanOrEqual(400.001);
      for (const { x, y } of points) {
        expect(x).toBeGreaterThanOrEqual(view.x - 0.001);
        expect(x).toBeLessThanOrEqual(view.x + view.width + 0.001);
        expect(y).toBeGreaterThanOrEqual(view.y - 0.001);
        expect(y).toBeLessThanOrEqual(view.y + view.height + 0.001);
      }
    }),
  );
});

test("an arrow goes to the nearest in its direction, and nowhere at the edge", () => {
  const [left, right, low] = [
    { x: 0, y: 0 },
    { x: 50, y: 5 },
    { x: 10, y: 80 },
  ];
  expect(neighbourOf([left, right, low], left, { x: 1, y: 0 })).toBe(right);
  expect(neighbourOf([left, right, low], left, { x: 0, y: 1 })).toBe(low);
  expect(neighbourOf([left, right, low], left, { x: -1, y: 0 })).toBeUndefined();
});
