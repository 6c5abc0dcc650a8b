import fc from "fast-check";
import type { Coordinates } from "./place.ts";
import type { Server, ServerState } from "./server.ts";
import type { Wish } from "./wish.ts";

const REGIONS = ["eu-north", "eu-west", "us-east", "ap-south"];
const TAGS = ["fast", "premium", "streaming"];
const STATES: readonly ServerState[] = ["healthy", "healthy", "degraded", "joining", "draining", "offline"];

export const anyCoordinates: fc.Arbitrary<Coordinates> = fc.record({
  latitude: fc.double({ min: -90, max: 90, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
});

/** Few towns and few loads, so that many servers are equally good. */
const someCoordinates = fc.oneof(
  anyCoordinates,
  fc.constantFrom({ latitude: 52.5, longitude: 13.4 }, { latitude: 1.35, longitude: 103.8 }),
);

const anyServer: fc.Arbitrary<Omit<Server, "id">> = fc.record({
  region: fc.constantFrom(...REGIONS),
  state: fc.constantFrom(...STATES),
  coordinates: fc.option(someCoordinates, { nil: undefined, freq: 8 }),
  peers: fc.oneof(fc.nat(1200), fc.constantFrom(0, 500, 999, 1000)),
  capacity: fc.constantFrom(1000, 1000, 500, 1),
  load: fc.option(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constant(0.5)), { nil: undefined }),
  tags: fc.subarray(TAGS),
});

export const anyServers: fc.Arbitrary<Server[]> = fc
  .array(anyServer, { maxLength: 60 })
  .map((servers) => servers.map((server, at) => ({ id: `node_${at}`, ...server })));

export const anyWish: fc.Arbitrary<Wish> = fc.record(
  {
    region: fc.constantFrom(...REGIONS, "nowhere"),
    coordinates: someCoordinates,
    country: fc.constantFrom("DE", "US", "FJ", "XX", ""),
    allowedTags: fc.subarray(TAGS),
    seed: fc.string(),
  },
  { requiredKeys: ["seed"] },
);

export function serverWith(change: Partial<Server> = {}): Server {
  return {
    id: "node_1",
    region: "eu-north",
    state: "healthy",
    peers: 0,
    capacity: 1000,
    tags: [],
    ...change,
  };
}
