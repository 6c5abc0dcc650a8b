import { afterAll, describe, expect, test } from "vitest";
import { BERLIN, connectNodeAt, PARIS, setDraining, TOKYO } from "../../testing/places.ts";
import { freshKey, openKeyScene } from "./testing-keys.ts";

const { service, movedLetters, queued, drain, deliverMoved, retire, inDays, passDays, ...scene } =
  await openKeyScene();
afterAll(() => service.close());
const admin = await service.admin();
for (const node of [scene.first, scene.second]) await setDraining(service, node, true);
const one = await connectNodeAt(service, "Berlin-1", BERLIN);
const two = await connectNodeAt(service, "Berlin-2", BERLIN);
const paris = await connectNodeAt(service, "Paris", PARIS);
await connectNodeAt(service, "Tokyo", TOKYO);

type Person = Awaited<ReturnType<typeof service.person>>;
type FakeNode = typeof one;

const addTo = ({ client }: Person, node: FakeNode, name = "Phone") =>
  client.devices.create({ body: { name, server_id: node.identity.id, public_key: freshKey() } });

const show = async ({ email }: Person, id: string) =>
  (await service.logIn(email)).client.devices.show({ params: { id } });

const nodeOf = (node: FakeNode) => admin.client.nodes.show({ params: { id: node.identity.id } });

async function drained<Result>(nodes: readonly FakeNode[], work: () => Promise<Result>): Promise<Result> {
  for (const node of nodes) await setDraining(service, node, true);
  try {
    return await work();
  } finally {
    for (const node of nodes) await setDraining(service, node, false);
  }
}

describe("a node that drains", () => {
  test("has its owners told, each account once a day, also of several devices and nodes", async () => {
    const person = await service.person();
    const other = await service.person();
    const devices = [
      await addTo(person, one, "A"),
      await addTo(person, one, "B"),
      await addTo(person, two, "C"),
    ];
    await addTo(other, one);
    movedLetters.length = 0;
    await drained([one, two], async () => {
      await drain();
      await drain();
    });
    for (const { id } of devices) expect((await show(person, id)).server?.name).toBe("Paris");
    const own = movedLetters.filter(({ accountId }) => accountId === person.id);
    expect(own).toEqual([{ accountId: person.id, validUntil: inDays(7) }]);
    expect(movedLetters.filter(({ accountId }) => accountId === other.id)).toHaveLength(1);
    await deliverMoved(own[0] ?? {});
    const mail = await service.latestMail(person.email);
    expect(mail.text).toContain(inDays(7));
    expect(mail.text).toMatch(/\/devices\s/);

    // A device that goes on the same day once more has a config of which its owner does not know.
    await drained([paris], drain);
    expect(movedLetters.filter(({ accountId }) => accountId === person.id)).toHaveLength(2);
  });

  test("moves each device where its owner's plan allows, and keeps those that find no place", async () => {
    const person = await service.person();
    const { client } = admin;
    const plan = await client.plans.create({ body: { name: "Streaming", server_tags: ["streaming"] } });
    const others = [one, two, paris, ...(await listOthers())];
    const device = await addTo(person, one);
    await client.nodes.change({ params: { id: two.identity.id }, body: { tags: ["streaming"] } });
    const rest = others.filter((id) => id !== one && id !== two);
    for (const node of rest)
      await client.nodes.change({ params: { id: idOf(node) }, body: { tags: ["other"] } });
    await drained([one], async () => {
      const before = (await client.nodes.show({ params: { id: one.identity.id } })).devices;
      expect(before).toBeGreaterThan(0);
      await drain();
      expect((await show(person, device.id)).server?.name).toBe("Berlin-1");
      const node = await client.nodes.show({ params: { id: one.identity.id } });
      expect(node.problem).toMatch(/still to be moved/);
      await client.plans.assign({ params: { id: person.id }, body: { plan_id: plan.id } });
      await drain();
      expect((await show(person, device.id)).server?.name).toBe("Berlin-2");
    });
    await client.nodes.change({ params: { id: two.identity.id }, body: { tags: [] } });
    for (const node of rest) await client.nodes.change({ params: { id: idOf(node) }, body: { tags: [] } });
  });

  test("moves none any more once it does not drain", async () => {
    const person = await service.person();
    const device = await addTo(person, one);
    await drained([one], async () => undefined);
    await drain();
    expect(await show(person, device.id)).toMatchObject({ server: { name: "Berlin-1" }, retiring: [] });
  });

  test("moves a suspended account's devices without a key, and two at once move each device once", async () => {
    const [person, suspended] = [await service.person(), await service.person()];
    const devices = [await addTo(person, one, "A"), await addTo(person, one, "B")];
    const sleeping = await addTo(suspended, one);
    const { client } = admin;
    const params = { id: suspended.id };
    await client.accounts.change({ params, body: { state: "suspended" } });
    const sum = async () => {
      const { items } = await client.nodes.list({ query: { limit: 100 } });
      return items.reduce((all, node) => all + node.devices, 0);
    };
    const before = await sum();
    await drained([one], () => Promise.all([drain(), drain(), drain()]));
    expect(await sum()).toBe(before);
    for (const { id } of devices) expect((await show(person, id)).server?.name).toBe("Berlin-2");
    await two.lacks(sleeping.public_key);
    await client.accounts.change({ params, body: { state: "active" } });
    expect((await show(suspended, sleeping.id)).server?.name).toBe("Berlin-2");
    await two.holds(sleeping.public_key);
  });

  test("has its devices moved within the region at once; their former place works seven days more", async () => {
    const person = await service.person();
    const device = await addTo(person, one);
    await one.holds(device.public_key);
    queued.length = 0;
    await drained([one], async () => {
      expect(queued).toEqual(["drain-nodes"]);
      await drain();
      expect(await show(person, device.id)).toMatchObject({
        server: { name: "Berlin-2" },
        public_key: device.public_key,
        retiring: [{ server: { name: "Berlin-1" }, valid_until: inDays(7) }],
      });
      expect(await nodeOf(one)).toMatchObject({ devices: 0, state: "draining", problem: null });
      expect(await two.holds(device.public_key)).toEqual(await one.holds(device.public_key));
    });
    passDays(7);
    await retire();
    await one.holds(device.public_key);
    passDays(1);
    await retire();
    await one.lacks(device.public_key);
    await two.holds(device.public_key);
  });
});

function idOf(node: FakeNode | string): string {
  return typeof node === "string" ? node : node.identity.id;
}

async function listOthers(): Promise<string[]> {
  const { items } = await admin.client.nodes.list({ query: { limit: 100 } });
  const own = [one, two, paris].map(({ identity }) => identity.id);
  return items.map(({ id }) => id).filter((id) => !own.includes(id));
}
