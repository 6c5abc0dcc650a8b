import * as fc from "fast-check";
import { expect, test } from "vitest";
import { coordinatesAt, landPath, pointOf, WORLD_HEIGHT, WORLD_WIDTH } from "./world.ts";

test("what is clicked on the map is where a dot of these coordinates stands", () => {
  const anywhere = fc.record({
    latitude: fc.double({ min: -55, max: 80, noNaN: true }),
    longitude: fc.double({ min: -179, max: 179, noNaN: true }),
  });
  fc.assert(
    fc.property(anywhere, (coordinates) => {
      const back = coordinatesAt(pointOf(coordinates));
      expect(back?.latitude).toBeCloseTo(coordinates.latitude, 1);
      expect(back?.longitude).toBeCloseTo(coordinates.longitude, 1);
    }),
  );
});

test("places lie within the map: east is right, north is up", () => {
  const [sydney, oslo, lima] = [
    pointOf({ latitude: -33.9, longitude: 151.2 }),
    pointOf({ latitude: 59.9, longitude: 10.8 }),
    pointOf({ latitude: -12, longitude: -77 }),
  ];
  expect(lima.x).toBeLessThan(oslo.x);
  expect(oslo.x).toBeLessThan(sydney.x);
  expect(oslo.y).toBeLessThan(sydney.y);
  for (const { x, y } of [sydney, oslo, lima]) {
    expect(x).toBeGreaterThan(0);
    expect(x).toBeLessThan(WORLD_WIDTH);
    expect(y).toBeGreaterThan(0);
    expect(y).toBeLessThan(WORLD_HEIGHT);
  }
});

test("beside the world is nowhere", () => {
  expect(coordinatesAt({ x: 0, y: 0 })).toBeUndefined();
  expect(coordinatesAt({ x: WORLD_WIDTH * 2, y: 100 })).toBeUndefined();
});

test("there is land", () => {
  expect(landPath).toMatch(/^M[\d.,-]+L/);
});
