import fc from "fast-check";
import { expect, test } from "vitest";
import { type Coordinates, distanceKm, placeAt } from "./place.ts";
import { score, squareWithin } from "./score.ts";
import { anyCoordinates, anyServers, anyWish, serverWith } from "./testing-fleet.ts";

const BERLIN = { latitude: 52.52, longitude: 13.405 };
const SYDNEY = { latitude: -33.8688, longitude: 151.2093 };
const OUT_OF_RANGE: readonly Coordinates[] = [
  { latitude: 90.001, longitude: 0 },
  { latitude: -91, longitude: 0 },
  { latitude: 0, longitude: 180.5 },
  { latitude: 0, longitude: -181 },
  { latitude: Number.NaN, longitude: 0 },
  { latitude: 0, longitude: Number.POSITIVE_INFINITY },
];

test("the score is a hundred less load, illness and distance", () => {
  const wish = { seed: "", coordinates: BERLIN };
  const at = (change: Parameters<typeof serverWith>[0]) =>
    score(serverWith({ coordinates: BERLIN, ...change }), wish);
  expect(at({})).toBe(100);
  expect(at({ peers: 500 })).toBe(80);
  expect(at({ peers: 500, load: 0.25 })).toBe(80);
  expect(at({ peers: 500, load: 0.75 })).toBe(70);
  expect(at({ state: "degraded" })).toBe(70);
  expect(at({ peers: 1000, state: "degraded" })).toBe(30);
  const km = distanceKm(placeAt(BERLIN), placeAt(SYDNEY));
  expect(at({ coordinates: SYDNEY })).toBeCloseTo(100 - km / 1000, 10);
  expect(at({ coordinates: undefined })).toBe(70);
  expect(at({ coordinates: undefined, peers: 1000, state: "offline" })).toBe(0);
});

test("a customer whose place is not known finds no server far away", () => {
  for (const wish of [{ seed: "" }, { seed: "", country: "XX" }])
    for (const coordinates of [BERLIN, SYDNEY, undefined])
      expect(score(serverWith({ coordinates }), wish)).toBe(100);
});

test("coordinates go before the country", () => {
  const near = score(serverWith({ coordinates: BERLIN }), { seed: "", coordinates: BERLIN, country: "AU" });
  expect(near).toBe(100);
  expect(score(serverWith({ coordinates: BERLIN }), { seed: "", country: "AU" })).toBeLessThan(90);
  expect(score(serverWith({ coordinates: BERLIN }), { seed: "", country: "DE" })).toBeGreaterThan(99.5);
});

test("coordinates out of range are refused, and not repeated", () => {
  for (const coordinates of OUT_OF_RANGE) {
    const message = "coordinates are out of range: latitude is -90 to 90 degrees, longitude -180 to 180";
    expect(() => score(serverWith(), { seed: "", coordinates })).toThrow(new RangeError(message));
    expect(() => score(serverWith({ coordinates }), { seed: "", country: "DE" })).toThrow(
      new RangeError(message),
    );
  }
});

test("a score lies between 0 and 100, whatever a server reports", () => {
  fc.assert(
    fc.property(
      anyServers,
      anyWish,
      fc.double(),
      fc.double(),
      fc.double(),
      (servers, wish, peers, capacity, load) => {
        for (const server of servers) {
          for (const one of [server, { ...server, peers, capacity, load }]) {
            const points = score(one, wish);
            expect(points).toBeGreaterThanOrEqual(0);
            expect(points).toBeLessThanOrEqual(100);
          }
        }
      },
    ),
  );
});

test("more load, more distance and less health never raise a score", () => {
  fc.assert(
    fc.property(
      anyServers,
      anyWish,
      fc.nat(2000),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (servers, wish, more, load) => {
        for (const server of servers) {
          const points = score(server, wish);
          expect(score({ ...server, peers: server.peers + more }, wish)).toBeLessThanOrEqual(points);
          expect(score({ ...server, load: Math.max(server.load ?? 0, load) }, wish)).toBeLessThanOrEqual(
            points,
          );
          expect(score({ ...server, state: "degraded" }, wish)).toBeLessThanOrEqual(
            score({ ...server, state: "healthy" }, wish),
          );
        }
      },
    ),
  );
  fc.assert(
    fc.property(anyCoordinates, anyCoordinates, anyCoordinates, (from, one, other) => {
      const [a, b] = [one, other].map((coordinates) => ({
        km: distanceKm(placeAt(from), placeAt(coordinates)),
        points: score(serverWith({ coordinates }), { seed: "", coordinates: from }),
      }));
      if (a === undefined || b === undefined) throw new Error("two places");
      if (a.km <= b.km) expect(a.points).toBeGreaterThanOrEqual(b.points);
    }),
  );
});

test("a distance is that of the haversine formula", () => {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  fc.assert(
    fc.property(anyCoordinates, anyCoordinates, (a, b) => {
      const half = (from: number, to: number) => Math.sin(radians(to - from) / 2) ** 2;
      const square =
        half(a.latitude, b.latitude) +
        Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * half(a.longitude, b.longitude);
      const km = 2 * 6371.0088 * Math.asin(Math.sqrt(Math.min(1, square)));
      // Opposite each other, both lose half of their digits: a metre.
      expect(distanceKm(placeAt(a), placeAt(b))).toBeCloseTo(km, 2);
    }),
  );
  // Karney's geodesic on the ellipsoid gives 16,094 km; the sphere is off by less than 0.5 %.
  expect(distanceKm(placeAt(BERLIN), placeAt(SYDNEY))).toBeCloseTo(16_094, -2);
});

test("no distance that a score allows lies beyond the chord that stands for it, and few others within", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 35, noNaN: true }),
      anyCoordinates,
      anyCoordinates,
      (points, a, b) => {
        const [from, to] = [placeAt(a), placeAt(b)];
        const km = distanceKm(from, to);
        const square = (from.x - to.x) ** 2 + (from.y - to.y) ** 2 + (from.z - to.z) ** 2;
        if (km <= points * 1000) expect(square).toBeLessThanOrEqual(squareWithin(points));
        if (km > points * 1000 + 100 && km < 19_000) expect(square).toBeGreaterThan(squareWithin(points));
      },
    ),
    { numRuns: 2000 },
  );
});
