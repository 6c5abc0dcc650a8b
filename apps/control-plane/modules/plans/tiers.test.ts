import { createId } from "@securewave/foundation";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, expect, test } from "vitest";
import { connectNode, openTestApp } from "../../testing.ts";
import { openPlans } from "./index.ts";

const service = await openTestApp();
afterAll(() => service.close());
const { client } = await service.admin();
const [first, second] = [await connectNode(service), await connectNode(service)];

type FakeNode = typeof first;

/** What a node was told last of each tier. */
const speedsOf = (node: FakeNode) => node.frames().findLast((frame) => frame.type === "tiers")?.speeds;

/** The number of the plan by which a node knows a key. */
function tierOn(node: FakeNode, publicKey: string): number | undefined {
  const specs = node.frames().flatMap((frame) => {
    if (frame.type === "snapshot") return frame.peers;
    return frame.type === "change" ? frame.upserts : [];
  });
  return specs.findLast((spec) => spec.public_key === publicKey)?.tier;
}

const planWith = (speed_kbit_per_second: number | null) =>
  client.plans.create({ body: { name: createId("plan").slice(0, 20), speed_kbit_per_second } });

test("a plan's speed reaches every node, and so does another one, without a word about devices", async () => {
  const plan = await planWith(20_000);
  await expect.poll(() => speedsOf(first)?.at(-1)?.kbit_per_second).toBe(20_000);
  const tier = speedsOf(first)?.at(-1)?.tier;
  const count = first.frames().length;
  await client.plans.change({ params: { id: plan.id }, body: { speed_kbit_per_second: 30_000 } });
  for (const node of [first, second]) {
    await expect.poll(() => speedsOf(node)).toContainEqual({ tier, kbit_per_second: 30_000 });
  }
  expect(
    first
      .frames()
      .slice(count)
      .map(({ type }) => type),
  ).toEqual(["tiers"]);
  await client.plans.change({ params: { id: plan.id }, body: { speed_kbit_per_second: null } });
  await expect.poll(() => speedsOf(first)?.some((speed) => speed.tier === tier)).toBe(false);
});

test("an account's other plan is another tier of all its keys, on every node that has one of them", async () => {
  const person = await service.person();
  const device = await person.client.devices.create({
    body: { name: "Phone", server_id: first.identity.id, public_key: generateKeyPair().publicKey },
  });
  await person.client.devices.move({
    params: { id: device.id },
    body: { server_id: second.identity.id },
  });
  await second.holds(device.public_key);
  const before = tierOn(second, device.public_key);
  expect(before).toBeGreaterThan(0);
  const plan = await planWith(10_000);
  await client.plans.assign({ params: { id: person.id }, body: { plan_id: plan.id } });
  const tier = () => [first, second].map((node) => tierOn(node, device.public_key));
  await expect.poll(() => new Set(tier()).size === 1 && tier()[0] !== before).toBe(true);
  expect(speedsOf(first)).toContainEqual({ tier: tier()[0], kbit_per_second: 10_000 });

  const count = first.frames().length;
  await client.plans.assign({ params: { id: person.id }, body: { plan_id: plan.id } });
  await client.nodes.list();
  expect(first.frames().length).toBe(count);
});

test("a device of a suspended account has its account's plan when it is back", async () => {
  const person = await service.person();
  const device = await person.client.devices.create({
    body: { name: "Phone", server_id: first.identity.id, public_key: generateKeyPair().publicKey },
  });
  await first.holds(device.public_key);
  const params = { id: person.id };
  await client.accounts.change({ params, body: { state: "suspended" } });
  await first.lacks(device.public_key);
  const plan = await planWith(5000);
  await client.plans.assign({ params, body: { plan_id: plan.id } });
  await first.lacks(device.public_key);
  await client.accounts.change({ params, body: { state: "active" } });
  await first.holds(device.public_key);
  const tier = tierOn(first, device.public_key);
  expect(speedsOf(first)).toContainEqual({ tier, kbit_per_second: 5000 });
});

test("only plans that have a limit are told, in the order of their numbers", async () => {
  await planWith(null);
  const silent = { publish: () => undefined, subscribe: () => undefined, start: async () => undefined };
  const audit = { record: async () => undefined };
  const { speeds } = await openPlans({
    database: service.database,
    bus: silent,
    audit,
    onTrouble: () => undefined,
  });
  const listed = speeds.list();
  expect(listed.every(({ kbit_per_second }) => kbit_per_second > 0)).toBe(true);
  expect(listed.map(({ tier }) => tier)).toEqual(listed.map(({ tier }) => tier).sort((a, b) => a - b));
});
