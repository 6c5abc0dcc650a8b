import type { Server } from "@securewave/contracts";
import { expect, test } from "vitest";
import { formatDistance, matchingServers, placeInput, regionsOf, whyClosed, whyNot } from "./servers.ts";

function server(name: string, region: string, more: Partial<Server> = {}): Server {
  return {
    id: name,
    name,
    region,
    latitude: null,
    longitude: null,
    available: true,
    included: true,
    load: "low",
    score: 90,
    distance_km: null,
    ...more,
  };
}

const names = (servers: readonly Server[]) => servers.map(({ name }) => name);

test("the nearest region stands first, and those whose distance is unknown last", () => {
  const regions = regionsOf([
    server("JP-1", "Tokyo", { distance_km: 9000 }),
    server("XX-1", "Anywhere"),
    server("DE-1", "Frankfurt", { distance_km: 300 }),
    server("DE-2", "Frankfurt", { distance_km: 290 }),
  ]);
  expect(regions.map(({ name, distanceKm }) => [name, distanceKm])).toEqual([
    ["Frankfurt", 290],
    ["Tokyo", 9000],
    ["Anywhere", undefined],
  ]);
});

test("without distances nothing moves when a load changes: regions and servers stand by name", () => {
  const list = [
    server("EU-10", "Paris"),
    server("EU-2", "Paris", { load: "high", score: 3 }),
    server("EU-1", "Berlin"),
    server("EU-0", "Paris", { available: false }),
  ];
  const regions = regionsOf(list);
  expect(regions.map(({ name }) => name)).toEqual(["Berlin", "Paris"]);
  expect(names(regions[1]?.servers ?? [])).toEqual(["EU-2", "EU-10", "EU-0"]);
});

test("why a server or a region cannot be chosen is said", () => {
  const closed = server("A", "R", { available: false });
  const beyond = server("B", "R", { included: false });
  expect([whyNot(server("C", "R")), whyNot(closed), whyNot(beyond)]).toEqual([
    undefined,
    "Takes no devices now",
    "Not in your plan",
  ]);
  const reasonOf = (servers: Server[]) => whyClosed({ name: "R", servers, distanceKm: undefined });
  expect(reasonOf([closed, server("C", "R")])).toBeUndefined();
  expect(reasonOf([closed, beyond])).toBe("No server here takes devices at the moment.");
  expect(reasonOf([beyond])).toBe("Your plan has no server here.");
});

test("a search finds by any part of name and region", () => {
  const list = [server("EU-1", "Frankfurt"), server("EU-2", "Paris"), server("US-1", "New York")];
  expect(names(matchingServers(list, "eu par"))).toEqual(["EU-2"]);
  expect(names(matchingServers(list, "NEW york"))).toEqual(["US-1"]);
  expect(names(matchingServers(list, ""))).toHaveLength(3);
});

test("the country is told only where it helps to choose", () => {
  expect(placeInput({}, "DE")).toEqual({ country: "DE" });
  expect(placeInput({ region: "Paris" }, "DE")).toEqual({ region: "Paris", country: "DE" });
  expect(placeInput({ server_id: "node_1" }, "DE")).toEqual({ server_id: "node_1" });
  expect(placeInput({}, undefined)).toEqual({});
});

test("distances are no more exact than what they are taken from", () => {
  expect([12, 447, 9049].map(formatDistance)).toEqual(["near", "about 450 km", "about 9,000 km"]);
});
