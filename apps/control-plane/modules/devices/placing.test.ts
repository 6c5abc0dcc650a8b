import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { connectNodeAt } from "../../testing/places.ts";
import { codeOf, openTestApp } from "../../testing.ts";
import { freshKey } from "./testing-keys.ts";

const service = await openTestApp();
afterAll(() => service.close());
const admin = await service.admin();
await admin.client.service.changeSettings({ body: { devices_per_account_max: 100 } });
const nodes = await Promise.all(
  ["North", "South", "East"].map((region) => connectNodeAt(service, region, { region, capacity: 1 })),
);
const people = await Promise.all([1, 2, 3].map(() => service.person()));

/** What people do at the same time: each adds or moves, with a wish or without. */
const anyAct = fc.record({
  person: fc.nat(people.length - 1),
  wish: fc.oneof(
    fc.constant({}),
    fc.record({ region: fc.constantFrom("North", "South", "East") }),
    fc.nat(nodes.length - 1).map((at) => ({ server_id: nodes[at]?.identity.id ?? "" })),
  ),
  move: fc.boolean(),
});

async function clear(): Promise<void> {
  for (const { client } of people) {
    const { items } = await client.devices.list({ query: { limit: 100 } });
    for (const { id } of items) await client.devices.remove({ params: { id } });
  }
}

test("no node gets more devices than it has room for, and none is lost, whatever is asked for together", async () => {
  const refusals = ["server_unavailable", "region_unavailable", "no_server", "no_other_server"].map(
    (name) => `devices.${name}`,
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: nodes.length, maxLength: nodes.length }),
      fc.array(anyAct, { minLength: 1, maxLength: 24 }),
      async (capacities, acts) => {
        await clear();
        for (const [at, { identity }] of nodes.entries()) {
          const body = { capacity: capacities[at] ?? 1 };
          await admin.client.nodes.change({ params: { id: identity.id }, body });
        }
        const outcomes = await Promise.all(
          acts.map(async ({ person, wish, move }, at) => {
            const { devices } = people[person]?.client ?? admin.client;
            const made = devices.create({ body: { name: `Device ${at}`, public_key: freshKey(), ...wish } });
            const code = await codeOf(made);
            if (code !== "ok") return code;
            const { id } = await made;
            return move ? codeOf(devices.move({ params: { id }, body: {} })) : "ok";
          }),
        );
        for (const code of outcomes) if (code !== "ok") expect(refusals).toContain(code);
        const counted = await service.database.pool.query<{ id: string; held: number; devices: number }>(
          "select nodes.id, nodes.devices, count(devices.id)::int as held from nodes left join devices on devices.node_id = nodes.id group by nodes.id",
        );
        for (const { id, held, devices } of counted.rows) {
          const at = nodes.findIndex(({ identity }) => identity.id === id);
          expect(devices).toBe(held);
          expect(held).toBeLessThanOrEqual(capacities[at] ?? 0);
        }
        const room = capacities.reduce((sum, capacity) => sum + capacity, 0);
        const free = room - counted.rows.reduce((sum, { held }) => sum + held, 0);
        const unwished = acts.map(({ wish }, at) => Object.keys(wish).length === 0 && outcomes[at]);
        // Whoever had no wish and got nothing found all nodes full.
        if (unwished.includes("devices.no_server") && acts.every(({ move }) => !move)) expect(free).toBe(0);
      },
    ),
    { numRuns: 12 },
  );
}, 120_000);
