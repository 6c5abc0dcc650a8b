import { DAY_MS, dayOf } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, connectNode, type FakeNode, openTestApp, type Person } from "../../testing.ts";

/** Started by hand, so that each test says when the clock strikes. */
const struck = new Map<string, (data: object) => Promise<void>>();
const letters: { accountId: string; deviceId: string; validUntil: string | null }[] = [];
const service = await openTestApp({
  createJobs: () => ({
    define(name, run) {
      struck.set(name, run as (data: object) => Promise<void>);
    },
    async send(name, data) {
      if (name === "tunnel-key-mail") letters.push(data as (typeof letters)[number]);
    },
    start: async () => {},
    stop: async () => {},
  }),
});
afterAll(() => service.close());

let [first, second]: FakeNode[] = [];
beforeAll(async () => {
  first = await connectNode(service, { name: "First" });
  second = await connectNode(service, { name: "Second" });
});

const freshKey = () => generateKeyPair().publicKey;
const inDays = (days: number) => dayOf(service.clock.now() + days * DAY_MS);
const retire = () => strike("retire-tunnel-keys");
const renew = () => strike("renew-tunnel-keys");

async function strike(job: string, data: object = {}): Promise<void> {
  const run = struck.get(job);
  if (!run) throw new Error(`no job ${job}`);
  await run(data);
}

async function pass(days: number): Promise<void> {
  service.clock.advanceSeconds((days * DAY_MS) / 1000);
}

function nodes(): [FakeNode, FakeNode] {
  if (!first || !second) throw new Error("the nodes are there");
  return [first, second];
}

async function phoneOf(client: Person["client"], public_key?: string) {
  const server_id = nodes()[0].identity.id;
  const device = await client.devices.create({
    body: { name: "Phone", server_id, ...(public_key === undefined ? {} : { public_key }) },
  });
  return { device, params: { id: device.id } };
}

const addressesInUse = async () => {
  const { rows } = await service.database.pool.query<{ count: number }>(
    "select (select count(address_index)::int from devices) + (select count(*)::int from retiring_keys) as count",
  );
  return rows[0]?.count;
};

describe("rotating", () => {
  test("gives a device a new key and new addresses; the former ones work for seven days more", async () => {
    const [node] = nodes();
    const { client, email } = await service.person();
    const { device, params } = await phoneOf(client, freshKey());
    const former = await node.holds(device.public_key);
    const public_key = freshKey();
    const rotated = await client.devices.rotate({ params, body: { public_key } });
    expect(rotated).toMatchObject({
      public_key,
      key_origin: "customer",
      key_version: 2,
      key_made_on: inDays(0),
      next_rotation_on: inDays(90),
      retiring: [{ public_key: device.public_key, server: { name: "First" }, valid_until: inDays(7) }],
    });
    const present = await node.holds(public_key);
    expect(present.allowedIps).toEqual(rotated.tunnel?.addresses);
    expect(present.presharedKey).toBe(rotated.tunnel?.preshared_key);
    expect(present.presharedKey).not.toBe(former.presharedKey);
    expect(present.allowedIps).not.toEqual(former.allowedIps);
    expect(await node.holds(device.public_key)).toEqual(former);

    const before = await addressesInUse();
    await pass(7);
    await retire();
    expect(await addressesInUse()).toBe(before);
    await pass(1);
    await Promise.all([retire(), retire()]);
    await node.lacks(device.public_key);
    await node.holds(public_key);
    expect(await addressesInUse()).toBe((before ?? 0) - 1);
    const again = await service.logIn(email);
    expect((await again.client.devices.show({ params })).retiring).toEqual([]);
  });

  test("with a key that the server makes: the new config has it", async () => {
    const { client } = await service.person();
    const { params } = await phoneOf(client);
    const before = await client.devices.config({ params });
    const rotated = await client.devices.rotate({ params, body: {} });
    expect(rotated).toMatchObject({ key_origin: "server", key_version: 2 });
    const after = await client.devices.config({ params });
    expect(after).not.toBe(before);
    expect(after).toContain(rotated.tunnel?.addresses[0]);
  });

  test("to the same key again, also eight times at once, is one rotation", async () => {
    const { client } = await service.person();
    const { params } = await phoneOf(client);
    const body = { public_key: freshKey() };
    const all = await Promise.all(Array.from({ length: 8 }, () => client.devices.rotate({ params, body })));
    expect(all.map(({ key_version }) => key_version)).toEqual(Array.from({ length: 8 }, () => 2));
    expect(all[0]?.retiring).toHaveLength(1);
  });

  test("a second time within the overlap ends the oldest key at once", async () => {
    const [node] = nodes();
    const { client } = await service.person();
    const { device, params } = await phoneOf(client);
    const two = await client.devices.rotate({ params, body: {} });
    await node.holds(device.public_key);
    const before = await addressesInUse();
    const three = await client.devices.rotate({ params, body: {} });
    await node.lacks(device.public_key);
    await node.holds(two.public_key);
    await node.holds(three.public_key);
    expect(three.retiring.map(({ public_key }) => public_key)).toEqual([two.public_key]);
    expect(await addressesInUse()).toBe(before);
  });

  test("a key that retires is nobody's to take, and free when its time is over", async () => {
    const [one, two] = [await service.person(), await service.person()];
    const public_key = freshKey();
    const { params } = await phoneOf(one.client, public_key);
    await one.client.devices.rotate({ params, body: {} });
    const create = (client = two.client) =>
      codeOf(client.devices.create({ body: { name: "Mine", public_key } }));
    expect(await create()).toBe("devices.key_in_use");
    expect(await codeOf(one.client.devices.rotate({ params, body: { public_key } }))).toBe(
      "devices.key_in_use",
    );
    const other = await phoneOf(two.client);
    expect(await codeOf(two.client.devices.rotate({ params: other.params, body: { public_key } }))).toBe(
      "devices.key_in_use",
    );
    await pass(8);
    await retire();
    expect(await create((await service.logIn(two.email)).client)).toBe("ok");
  });

  test("a key is never two devices', when one is rotated away from it as another asks for it", async () => {
    const [one, two] = [await service.person(), await service.person()];
    const public_key = freshKey();
    const { params } = await phoneOf(one.client, public_key);
    const [, taken] = await Promise.all([
      one.client.devices.rotate({ params, body: {} }),
      codeOf(two.client.devices.create({ body: { name: "Mine", public_key } })),
    ]);
    expect(taken).toBe("devices.key_in_use");
  });

  test("is refused for keys that are none, a server's, and revoked devices", async () => {
    const { client } = await service.person();
    const { params } = await phoneOf(client);
    const rotate = (public_key: string) => codeOf(client.devices.rotate({ params, body: { public_key } }));
    expect(await rotate(Buffer.alloc(32, 255).toString("base64"))).toBe("devices.invalid_key");
    expect(await rotate(nodes()[0].identity.publicKey)).toBe("devices.key_in_use");
    await client.devices.revoke({ params });
    expect(await rotate(freshKey())).toBe("devices.revoked");
  });
});

describe("moving", () => {
  test("keeps the former server's peer until the end of tomorrow", async () => {
    const [from, to] = nodes();
    const { client } = await service.person();
    const { device, params } = await phoneOf(client);
    const moved = await client.devices.move({ params, body: { server_id: to.identity.id } });
    expect(moved).toMatchObject({
      server: { name: "Second" },
      retiring: [{ public_key: device.public_key, server: { name: "First" }, valid_until: inDays(1) }],
    });
    expect(await to.holds(device.public_key)).toEqual(await from.holds(device.public_key));
    await pass(1);
    await retire();
    await from.holds(device.public_key);
    await pass(1);
    await retire();
    await from.lacks(device.public_key);
    await to.holds(device.public_key);
  });

  test("without a wish goes to another server, and back at once where it was", async () => {
    const [from, to] = nodes();
    const { client } = await service.person();
    const { device, params } = await phoneOf(client);
    expect((await client.devices.move({ params, body: {} })).server?.name).toBe("Second");
    const back = await client.devices.move({ params, body: { server_id: from.identity.id } });
    expect(back.retiring).toMatchObject([{ server: { name: "Second" } }]);
    await pass(2);
    await retire();
    await from.holds(device.public_key);
    await to.lacks(device.public_key);
  });

  test("and rotating combine: each key ends where and when its time is over", async () => {
    const [from, to] = nodes();
    const { client, email } = await service.person();
    const { device, params } = await phoneOf(client);
    await client.devices.move({ params, body: { server_id: to.identity.id } });
    const rotated = await client.devices.rotate({ params, body: {} });
    expect(rotated.retiring.map(({ server, valid_until }) => [server?.name, valid_until])).toEqual([
      ["First", inDays(1)],
      ["Second", inDays(7)],
    ]);
    await client.devices.move({ params, body: { server_id: from.identity.id } });
    await from.holds(rotated.public_key);
    await pass(2);
    await retire();
    await from.lacks(device.public_key);
    await to.lacks(rotated.public_key);
    await to.holds(device.public_key);
    await pass(6);
    await retire();
    await to.lacks(device.public_key);
    const { client: again } = await service.logIn(email);
    expect(await again.devices.show({ params })).toMatchObject({ retiring: [], server: { name: "First" } });
  });

  test("in opposite directions at once: all arrive", async () => {
    const [from, to] = nodes();
    const people = await Promise.all(Array.from({ length: 6 }, () => service.person()));
    const phones = await Promise.all(people.map(({ client }) => phoneOf(client)));
    const sides = [from, to];
    for (const turn of [1, 0]) {
      const moved = people.map(({ client }, index) =>
        client.devices.move({
          params: phones[index]?.params ?? { id: "" },
          body: { server_id: sides[(index + turn) % 2]?.identity.id ?? "" },
        }),
      );
      expect((await Promise.all(moved)).map(({ server }) => server?.name)).toEqual(
        people.map((_, index) => sides[(index + turn) % 2]?.identity.name),
      );
    }
  });
});

describe("all keys go at once", () => {
  const ends: Record<string, (person: Person, id: string) => Promise<unknown>> = {
    "when the device is revoked": ({ client }, id) => client.devices.revoke({ params: { id } }),
    "when it is removed": ({ client }, id) => client.devices.remove({ params: { id } }),
    "when its account is suspended": async ({ id }) =>
      (await service.logIn((await service.admin()).email)).client.accounts.change({
        params: { id },
        body: { state: "suspended" },
      }),
  };
  test.each(Object.keys(ends))("%s", async (name) => {
    const [from, to] = nodes();
    const person = await service.person();
    const { device, params } = await phoneOf(person.client);
    const rotated = await person.client.devices.rotate({ params, body: {} });
    await person.client.devices.move({ params, body: { server_id: to.identity.id } });
    await to.holds(rotated.public_key);
    await ends[name]?.(person, device.id);
    await Promise.all([
      from.lacks(device.public_key),
      from.lacks(rotated.public_key),
      to.lacks(rotated.public_key),
    ]);
    const { rows } = await service.database.pool.query("select from retiring_keys where device_id = $1", [
      device.id,
    ]);
    expect(rows).toEqual([]);
  });
});

describe("as the days pass", () => {
  test("keys that the server made are changed when due, once, also late and by two at once", async () => {
    const { client, email, id } = await service.person();
    const { params } = await phoneOf(client);
    expect((await client.devices.show({ params })).next_rotation_on).toBe(inDays(90));
    await client.devices.change({ params, body: { rotation_days: 30 } });
    letters.length = 0;
    const own = () => letters.filter(({ accountId }) => accountId === id);
    await pass(29);
    await renew();
    expect(own()).toEqual([]);
    await pass(4);
    await Promise.all([renew(), renew()]);
    await renew();
    expect(own()).toEqual([{ accountId: id, deviceId: params.id, validUntil: inDays(7) }]);
    const { client: again } = await service.logIn(email);
    expect(await again.devices.show({ params })).toMatchObject({
      key_version: 2,
      next_rotation_on: inDays(30),
    });
    await strike("tunnel-key-mail", own()[0] ?? {});
    const mail = await service.latestMail(email);
    expect(mail.text).toContain(inDays(7));
    expect(mail.text).toContain(`/devices/${params.id}`);
  });

  test("owners of their own keys are reminded when due and each week after, once, also late", async () => {
    const { client, email, id } = await service.person();
    const { params } = await phoneOf(client, freshKey());
    await client.devices.change({ params, body: { rotation_days: 10 } });
    const countAfter = async (days: number) => {
      await pass(days);
      letters.length = 0;
      await Promise.all([renew(), renew()]);
      await renew();
      return letters.filter(({ accountId }) => accountId === id).length;
    };
    expect(await countAfter(9)).toBe(0);
    expect(await countAfter(1)).toBe(1);
    expect(await countAfter(6)).toBe(0);
    expect(await countAfter(1)).toBe(1);
    expect(await countAfter(9)).toBe(1); // two days late
    expect(await countAfter(5)).toBe(1); // back in the rhythm
    const { client: again } = await service.logIn(email);
    expect((await again.devices.show({ params })).key_version).toBe(1);
  });

  test("0 days are never, null is as the service says", async () => {
    const { client } = await service.person();
    const { params } = await phoneOf(client);
    const change = (rotation_days: number | null) =>
      client.devices.change({ params, body: { rotation_days } });
    expect(await change(0)).toMatchObject({ rotation_days: 0, next_rotation_on: null });
    expect(await change(null)).toMatchObject({ rotation_days: null, next_rotation_on: inDays(90) });
  });
});

describe("the former key", () => {
  test("is connected for its device, and counts for its account, also on the former server", async () => {
    const [from, to] = nodes();
    const { client } = await service.person();
    const { device, params } = await phoneOf(client);
    await client.devices.rotate({ params, body: {} });
    await client.devices.move({ params, body: { server_id: to.identity.id } });
    await from.holds(device.public_key);
    const public_key = device.public_key;
    from.report([{ public_key, handshake_age_seconds: 5 }]);
    from.report([{ public_key, handshake_age_seconds: 5, received_bytes: 5_000_000, sent_bytes: 1_000_000 }]);
    await eventually(async () => {
      expect((await client.devices.show({ params })).connection.connected).toBe(true);
      expect((await client.usage.own()).used_bytes).toBe(6_000_000);
    });
    await client.devices.revoke({ params });
    expect((await client.devices.show({ params })).connection.connected).toBe(false);
  });

  test("is known by its owner also once it is gone, to a control plane that starts anew", async () => {
    const { client, id } = await service.person();
    const { device, params } = await phoneOf(client);
    await client.devices.rotate({ params, body: {} });
    await client.devices.rotate({ params, body: {} });
    const { rows } = await service.database.pool.query(
      "select account_id, is_removed from peers join devices on devices.id = device_id where peers.public_key = $1",
      [device.public_key],
    );
    expect(rows).toEqual([{ account_id: id, is_removed: true }]);
  });
});
