import type { Node } from "@securewave/contracts";
import { createFakeNodes, fakeHealth } from "@securewave/contracts/testing/fake-nodes";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FLEET_ORDERS, LIVE_STATES } from "../../fleet-filter.ts";
import { chosen, countsOf, regionsOf } from "./fleet.ts";

const fleet = createFakeNodes();
const add = (name: string, region: string, more: Partial<Node> = {}) => fleet.add(name, region, more);
add("EU-10", "Frankfurt", { devices: 100, capacity: 200, tags: ["streaming"] });
add("EU-2", "Frankfurt", { devices: 900, capacity: 1000, state: "degraded" });
add("US-1", "Ashburn", { devices: 0, state: "offline", health: null, agent_version: null });
add("AP-1", "Tokyo", {
  connected: "100–249",
  health: fakeHealth({ handshake_ms: 4, throughput: "1–3 Gbit/s" }),
});
const names = (nodes: readonly Node[]) => nodes.map(({ name }) => name);

test("nodes stand by name, with numbers as numbers, where no order is wished", () => {
  expect(names(chosen(fleet.nodes, {}))).toEqual(["AP-1", "EU-2", "EU-10", "US-1"]);
});

test("a search looks at names, regions, tags and endpoints, in any case of letters", () => {
  expect(names(chosen(fleet.nodes, { search: "FRANK" }))).toEqual(["EU-2", "EU-10"]);
  expect(names(chosen(fleet.nodes, { search: "stream" }))).toEqual(["EU-10"]);
  expect(names(chosen(fleet.nodes, { search: "us-1.securewave" }))).toEqual(["US-1"]);
  expect(chosen(fleet.nodes, { search: "nowhere" })).toEqual([]);
});

test("state and region narrow it, both together too", () => {
  expect(names(chosen(fleet.nodes, { region: "Frankfurt" }))).toEqual(["EU-2", "EU-10"]);
  expect(names(chosen(fleet.nodes, { region: "Frankfurt", state: "degraded" }))).toEqual(["EU-2"]);
  expect(chosen(fleet.nodes, { region: "Tokyo", state: "offline" })).toEqual([]);
});

test("orders are those of the columns: the worst state first, the fullest last, ranges by what they mean", () => {
  expect(names(chosen(fleet.nodes, { order: "state" }))).toEqual(["US-1", "EU-2", "AP-1", "EU-10"]);
  expect(names(chosen(fleet.nodes, { order: "devices", isDescending: true }))).toEqual([
    "EU-2",
    "EU-10",
    "AP-1",
    "US-1",
  ]);
  expect(names(chosen(fleet.nodes, { order: "connected", isDescending: true }))[0]).toBe("AP-1");
});

test("what is not known stands last, in both directions", () => {
  for (const isDescending of [true, undefined] as const) {
    expect(names(chosen(fleet.nodes, { order: "handshake", isDescending })).at(-1)).toBe("US-1");
    expect(names(chosen(fleet.nodes, { order: "agent", isDescending })).at(-1)).toBe("US-1");
    expect(names(chosen(fleet.nodes, { order: "throughput", isDescending }))[0]).toBe("AP-1");
  }
});

test("no order loses a node, and the list that was given stays as it was", () => {
  const before = names(fleet.nodes);
  fc.assert(
    fc.property(
      fc.constantFrom(...FLEET_ORDERS),
      fc.constantFrom(true as const, undefined),
      (order, isDescending) => {
        expect(names(chosen(fleet.nodes, { order, isDescending })).sort()).toEqual(before.toSorted());
      },
    ),
  );
  expect(names(fleet.nodes)).toEqual(before);
});

test("counts are of each state, regions each once", () => {
  expect(countsOf(fleet.nodes)).toEqual({ offline: 1, degraded: 1, draining: 0, joining: 0, healthy: 2 });
  expect(Object.keys(countsOf([])).sort()).toEqual(LIVE_STATES.toSorted());
  expect(regionsOf(fleet.nodes)).toEqual(["Ashburn", "Frankfurt", "Tokyo"]);
});
