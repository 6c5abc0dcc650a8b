import { eventually } from "@securewave/testing";
import { afterAll, expect, test } from "vitest";
import { codeOf, connectNode, openTestApp, type Person } from "../../testing.ts";

/** Room for 12 devices: 16 addresses without network, broadcast, the node's own and the prober's. */
const ROOM = 12;
const service = await openTestApp({ settings: { IP_POOL_V4: "10.99.0.0/28" } });
afterAll(() => service.close());
const node = await connectNode(service);
await (await service.admin()).client.service.changeSettings({ body: { devices_per_account_max: 100 } });

/** What the node holds; it hears of a change a moment after the caller has the answer. */
function addressesOnNode(): string[] {
  return Array.from(node.peers, ({ allowedIps }) => allowedIps[0] ?? "");
}

async function add(person: Person, name: string): Promise<string> {
  const { tunnel } = await person.client.devices.create({ body: { name } });
  return tunnel?.addresses[0] ?? "";
}

async function removeAll(person: Person): Promise<void> {
  for (const { id } of (await person.client.devices.list()).items)
    await person.client.devices.remove({ params: { id } });
}

test("the pool gives each address once, then says that it is exhausted and adds nothing", async () => {
  const person = await service.person();
  const given: string[] = [];
  for (let index = 0; index < ROOM; index++) given.push(await add(person, `Device ${index}`));
  expect(given).toEqual(Array.from({ length: ROOM }, (_, index) => `10.99.0.${index + 2}/32`));
  const admin = await service.admin();
  expect(await admin.client.fleetDevices.totals()).toMatchObject({
    addresses_in_use: ROOM,
    addresses_total: ROOM,
  });
  expect(await codeOf(person.client.devices.create({ body: { name: "Too much" } }))).toBe(
    "devices.pool_exhausted",
  );
  expect((await person.client.devices.list()).items).toHaveLength(ROOM);
  const row = await service.database.db
    .selectFrom("accounts")
    .selectAll()
    .where("id", "=", person.id)
    .executeTakeFirst();
  expect(row?.devices_active).toBe(ROOM);

  const { items } = await person.client.devices.list();
  const byName = new Map(items.map(({ name, id }) => [name, id]));
  for (const name of ["Device 7", "Device 3", "Device 11"]) {
    await person.client.devices.revoke({ params: { id: byName.get(name) ?? "" } });
  }
  const again = [await add(person, "A"), await add(person, "B"), await add(person, "C")];
  expect(again, "the address released longest ago is used first").toEqual([
    "10.99.0.9/32",
    "10.99.0.5/32",
    "10.99.0.13/32",
  ]);
  expect(await codeOf(person.client.devices.create({ body: { name: "D" } }))).toBe("devices.pool_exhausted");
  await removeAll(person);
});

test("a device has the same place in both pools", async () => {
  const person = await service.person();
  const { tunnel, id } = await person.client.devices.create({ body: { name: "Phone" } });
  const [v4 = "", v6 = ""] = tunnel?.addresses ?? [];
  const index = Number(/\.(\d+)\/32$/.exec(v4)?.[1]);
  expect(v6).toBe(`fd5e:c0de:8::${index.toString(16)}/128`);
  await person.client.devices.remove({ params: { id } });
});

test("sixteen callers who add and release at random never hold an address together", async () => {
  const holders = new Map<string, string>();
  const twice: string[] = [];
  let added = 0;
  let exhausted = 0;

  async function callAtRandom(caller: number): Promise<void> {
    const person = await service.person();
    const held: { id: string; address: string }[] = [];
    for (let step = 0; step < 12; step++) {
      const last = held.at(-1);
      if (last && Math.random() < 0.5) {
        held.pop();
        holders.delete(last.address); // before it is given back: somebody may get it before the answer arrives
        await person.client.devices.remove({ params: { id: last.id } });
        continue;
      }
      const name = `Device ${step}`;
      const call = person.client.devices.create({ body: { name } });
      const code = await codeOf(call);
      if (code === "devices.pool_exhausted") {
        exhausted++;
        continue;
      }
      expect(code).toBe("ok");
      const { id, tunnel } = await call;
      const address = tunnel?.addresses[0] ?? "";
      if (holders.has(address)) twice.push(`${address}: ${holders.get(address)} and ${caller}`);
      holders.set(address, String(caller));
      held.push({ id, address });
      added++;
    }
    for (const { id, address } of held) {
      holders.delete(address);
      await person.client.devices.remove({ params: { id } });
    }
  }

  await Promise.all(Array.from({ length: 16 }, (_, caller) => callAtRandom(caller)));
  expect(twice).toEqual([]);
  expect(added).toBeGreaterThan(30);
  expect(exhausted, "the pool was small enough to run dry").toBeGreaterThan(0);
  const { rows } = await service.database.pool.query(`
    select (select count(*) from devices where state = 'active') as active,
      (select count(*) from free_addresses) as free,
      (select next_index - 2 from address_pool) as given,
      (select sum(devices) from nodes) as on_nodes,
      (select sum(devices_active) from accounts) as of_accounts`);
  expect(rows).toEqual(
    [{ active: 0, free: ROOM, given: ROOM, on_nodes: "0", of_accounts: 0 }].map((row) => ({
      ...row,
      on_nodes: rows[0].on_nodes,
      of_accounts: rows[0].of_accounts,
    })),
  );
  expect([Number(rows[0].on_nodes), Number(rows[0].of_accounts)]).toEqual([0, 0]);
  await eventually(() => expect(addressesOnNode()).toEqual([]));
});
