import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseServer, rank } from "./choose.ts";
import { createFleet } from "./fleet.ts";
import { fnv1a, weightOf } from "./rendezvous.ts";
import { gradeOf, score } from "./score.ts";
import { type Server, takesDevices } from "./server.ts";
import { anyServers, anyWish, serverWith } from "./testing-fleet.ts";
import type { Wish } from "./wish.ts";

const BERLIN = { latitude: 52.52, longitude: 13.405 };
const PARIS = { latitude: 48.857, longitude: 2.352 };
const TOKYO = { latitude: 35.69, longitude: 139.69 };

/** The choice as one would write it down: filter, score, sort. */
function naiveRank(servers: readonly Server[], wish: Wish): Server[] {
  const weight = ({ id }: Server) => weightOf(fnv1a(wish.seed), fnv1a(id));
  return servers
    .filter(takesDevices)
    .filter(({ region }) => wish.region === undefined || region === wish.region)
    .filter(({ tags }) => tags.every((tag) => wish.allowedTags?.includes(tag) ?? true))
    .toSorted((a, b) => gradeOf(score(b, wish)) - gradeOf(score(a, wish)) || weight(b) - weight(a));
}

test("the choice is that of the plain filter, score and sort", () => {
  fc.assert(
    fc.property(anyServers, anyWish, (servers, wish) => {
      const [best] = naiveRank(servers, wish);
      const choice = chooseServer(createFleet(servers), wish);
      if (best === undefined) expect(choice.kind).toBe("unavailable");
      else expect(choice).toMatchObject({ kind: "chosen", server: best, score: score(best, wish) });
    }),
    { numRuns: 1000 },
  );
});

test("the ranking is the plain one, and its first is the choice", () => {
  fc.assert(
    fc.property(anyServers, anyWish, fc.nat(70), (servers, wish, limit) => {
      const fleet = createFleet(servers);
      const ranked = rank(fleet, wish, limit);
      expect(ranked.map(({ server }) => server)).toEqual(naiveRank(servers, wish).slice(0, limit));
      for (const offer of ranked) expect(offer.score).toBe(score(offer.server, wish));
      const choice = chooseServer(fleet, wish);
      if (limit > 0 && choice.kind === "chosen") expect(choice.server).toBe(ranked[0]?.server);
    }),
  );
});

test("a server that is full, draining, offline or has not joined is never chosen, nor one that the plan does not allow", () => {
  fc.assert(
    fc.property(anyServers, anyWish, (servers, wish) => {
      const choice = chooseServer(createFleet(servers), wish);
      if (choice.kind === "unavailable") return;
      const { state, peers, capacity, region, tags } = choice.server;
      expect(["healthy", "degraded"]).toContain(state);
      expect(peers).toBeLessThan(capacity);
      if (wish.region !== undefined) expect(region).toBe(wish.region);
      if (wish.allowedTags !== undefined) expect(wish.allowedTags).toEqual(expect.arrayContaining([...tags]));
    }),
  );
});

test("the order in which servers came, and what they were before, change nothing", () => {
  fc.assert(
    fc.property(
      anyServers,
      anyServers,
      anyWish,
      fc.infiniteStream(fc.nat()),
      (servers, before, wish, shuffle) => {
        const expected = chooseServer(createFleet(servers), wish);
        const shuffled = servers
          .map((server) => ({ server, key: shuffle.next().value }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ server }) => server);
        const fleet = createFleet(before);
        for (const { id } of before) if (shuffle.next().value % 2 === 0) fleet.remove(id);
        for (const server of shuffled) fleet.put(server);
        for (const { id } of before) if (!servers.some((server) => server.id === id)) fleet.remove(id);
        const choice = chooseServer(fleet, wish);
        // A region that had other servers once is known by them no more either.
        expect(choice).toEqual(expected);
      },
    ),
  );
});

test("how far the nearest region is comes out the same to the last bit", () => {
  const places = [
    { latitude: 1.35, longitude: 103.8 },
    { latitude: 52.5, longitude: 13.4 },
    { latitude: 0, longitude: -3.880276711385491e-13 },
  ];
  const closed = places.map((coordinates, at) =>
    serverWith({ id: `node_${at}`, region: "eu-west", state: "offline", coordinates }),
  );
  const open = serverWith({ id: "node_open", region: "eu-north", coordinates: places[1] });
  const wish = { region: "eu-west", seed: "" };
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  const choices = orders.map((order) =>
    chooseServer(createFleet([...order.flatMap((at) => closed[at] ?? []), open]), wish),
  );
  expect(new Set(choices.map((choice) => choice.alternative?.distanceKm)).size).toBe(1);
});

test("equally good servers share out seeds evenly, and one that comes takes its own share only", () => {
  const servers = Array.from({ length: 9 }, (_, at) => serverWith({ id: `node_${at}` }));
  const chosen = (fleet: ReturnType<typeof createFleet>, seed: string) => {
    const choice = chooseServer(fleet, { seed });
    return choice.kind === "chosen" ? choice.server.id : "none";
  };
  const [fleet, larger] = [createFleet(servers), createFleet([...servers, serverWith({ id: "node_new" })])];
  const counts = new Map<string, number>();
  let moved = 0;
  for (let at = 0; at < 9000; at++) {
    const [before, after] = [chosen(fleet, `device_${at}`), chosen(larger, `device_${at}`)];
    counts.set(before, (counts.get(before) ?? 0) + 1);
    if (after !== before) {
      expect(after).toBe("node_new");
      moved++;
    }
  }
  // Five standard deviations of a fair share: 30 of 1000, and of 900.
  for (const { id } of servers) expect(Math.abs((counts.get(id) ?? 0) - 1000)).toBeLessThan(150);
  expect(Math.abs(moved - 900)).toBeLessThan(150);
});

test("servers filled by choices stay within a grade of each other", () => {
  const fleet = createFleet(Array.from({ length: 20 }, (_, at) => serverWith({ id: `node_${at}` })));
  for (let at = 0; at < 10_000; at++) {
    const choice = chooseServer(fleet, { seed: `device_${at}` });
    if (choice.kind === "chosen") fleet.put({ ...choice.server, peers: choice.server.peers + 1 });
  }
  const peers = fleet.servers.map((server) => server.peers);
  expect(Math.max(...peers) - Math.min(...peers)).toBeLessThanOrEqual(3);
});

test("a region without a server names the nearest one that has a healthy server", () => {
  const fleet = createFleet([
    serverWith({ id: "node_1", region: "germany", coordinates: BERLIN, state: "offline" }),
    serverWith({ id: "node_2", region: "germany", coordinates: BERLIN, peers: 1000 }),
    serverWith({
      id: "node_3",
      region: "poland",
      coordinates: { latitude: 52.2, longitude: 21 },
      state: "degraded",
    }),
    serverWith({ id: "node_4", region: "france", coordinates: PARIS }),
    serverWith({ id: "node_5", region: "japan", coordinates: TOKYO }),
  ]);
  const near = { seed: "", region: "germany", country: "JP" };
  expect(chooseServer(fleet, near)).toEqual({
    kind: "unavailable",
    alternative: { region: "france", distanceKm: expect.closeTo(877, -1) },
  });
  expect(chooseServer(fleet, { ...near, region: "poland" })).toMatchObject({
    kind: "chosen",
    server: { id: "node_3" },
    alternative: { region: "france" },
  });
  fleet.remove("node_4");
  fleet.remove("node_5");
  expect(chooseServer(fleet, near)).toMatchObject({ kind: "unavailable", alternative: { region: "poland" } });
  expect(chooseServer(fleet, { ...near, region: "poland" })).not.toHaveProperty("alternative");
  fleet.remove("node_3");
  expect(chooseServer(fleet, near)).toEqual({ kind: "unavailable" });
});

test("a region that nobody has heard of names the one nearest to the customer, or else the best", () => {
  const fleet = createFleet([
    serverWith({ id: "node_1", region: "france", coordinates: PARIS, peers: 900 }),
    serverWith({ id: "node_2", region: "japan", coordinates: TOKYO }),
    serverWith({ id: "node_3", region: "moon", tags: ["premium"] }),
  ]);
  const wish = { seed: "", region: "atlantis", allowedTags: [] };
  const alternative = { region: "france", distanceKm: expect.any(Number) };
  expect(chooseServer(fleet, { ...wish, country: "BE" })).toEqual({ kind: "unavailable", alternative });
  expect(chooseServer(fleet, wish)).toEqual({
    kind: "unavailable",
    alternative: { region: "japan", distanceKm: undefined },
  });
});

test("an empty fleet has nothing to offer", () => {
  const fleet = createFleet();
  expect(chooseServer(fleet, { seed: "" })).toEqual({ kind: "unavailable" });
  expect(chooseServer(fleet, { seed: "", region: "france" })).toEqual({ kind: "unavailable" });
  expect(rank(fleet, { seed: "" }, 10)).toEqual([]);
});

test("a server whose coordinates are out of range changes nothing", () => {
  const fleet = createFleet([serverWith()]);
  const coordinates = { latitude: 91, longitude: 0 };
  expect(() => fleet.put(serverWith({ coordinates }))).toThrow(RangeError);
  expect(() => chooseServer(fleet, { seed: "", coordinates })).toThrow(RangeError);
  expect(fleet.servers).toEqual([serverWith()]);
});

test("a server that is not wanted is passed over, as if it were not there", () => {
  fc.assert(
    fc.property(anyServers, anyWish, fc.func(fc.boolean()), (servers, wish, isUnwanted) => {
      const except = new Set(servers.filter(({ id }) => isUnwanted(id)).map(({ id }) => id));
      const fleet = createFleet(servers);
      const wanted = naiveRank(servers, wish).filter(({ id }) => !except.has(id));
      expect(rank(fleet, { ...wish, except }, 100).map(({ server }) => server)).toEqual(wanted);
      const choice = chooseServer(fleet, { ...wish, except });
      expect(choice.kind === "chosen" ? choice.server : undefined).toBe(wanted[0]);
    }),
  );
});
