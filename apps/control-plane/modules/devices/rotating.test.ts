import { eventually } from "@securewave/testing/eventually";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { codeOf, type Person } from "../../testing.ts";
import { freshKey, openKeyScene } from "./testing-keys.ts";

const { service, first, second, retire, inDays, passDays, phoneOf, addressesInUse } = await openKeyScene();
afterAll(() => service.close());

describe("rotating", () => {
  test("gives a device a new key and new addresses; the former ones work for seven days more", async () => {
    const { client, email } = await service.person();
    const { device, params } = await phoneOf(client, freshKey());
    const former = await first.holds(device.public_key);
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
    const present = await first.holds(public_key);
    expect(present.allowedIps).toEqual(rotated.tunnel?.addresses);
    expect(present.presharedKey).toBe(rotated.tunnel?.preshared_key);
    expect(present.presharedKey).not.toBe(former.presharedKey);
    expect(present.allowedIps).not.toEqual(former.allowedIps);
    expect(await first.holds(device.public_key)).toEqual(former);

    const before = await addressesInUse();
    passDays(7);
    await retire();
    expect(await addressesInUse()).toBe(before);
    passDays(1);
    await Promise.all([retire(), retire()]);
    await first.lacks(device.public_key);
    await first.holds(public_key);
    expect(await addressesInUse()).toBe(before - 1);
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
    const { client } = await service.person();
    const { device, params } = await phoneOf(client);
    const two = await client.devices.rotate({ params, body: {} });
    await first.holds(device.public_key);
    const before = await addressesInUse();
    const three = await client.devices.rotate({ params, body: {} });
    await first.lacks(device.public_key);
    await first.holds(two.public_key);
    await first.holds(three.public_key);
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
    passDays(8);
    await retire();
    expect(await create((await service.logIn(two.email)).client)).toBe("ok");
  });

  test("a key that retires is not given to who waited for the rotation, either", async () => {
    const [one, two] = [await service.person(), await service.person()];
    const { device } = await phoneOf(one.client, freshKey());
    const rotating = await service.database.pool.connect();
    onTestFinished(() => rotating.release(true));
    await rotating.query("begin");
    await rotating.query("update devices set public_key = $2 where id = $1", [device.id, freshKey()]);
    await rotating.query("insert into retiring_keys values ($1, $2, 60000, null, $3)", [
      device.public_key,
      device.id,
      inDays(7),
    ]);
    const body = { name: "Mine", public_key: device.public_key };
    const taking = codeOf(two.client.devices.create({ body }));
    await eventually(async () => {
      const { rows } = await rotating.query(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      expect(rows).toHaveLength(1);
    });
    await rotating.query("commit");
    expect(await taking).toBe("devices.key_in_use");
  });

  test("is refused for keys that are none, a server's, and revoked devices", async () => {
    const { client } = await service.person();
    const { params } = await phoneOf(client);
    const rotate = (public_key: string) => codeOf(client.devices.rotate({ params, body: { public_key } }));
    expect(await rotate(Buffer.alloc(32, 255).toString("base64"))).toBe("devices.invalid_key");
    expect(await rotate(first.identity.publicKey)).toBe("devices.key_in_use");
    await client.devices.revoke({ params });
    expect(await rotate(freshKey())).toBe("devices.revoked");
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
    const person = await service.person();
    const { device, params } = await phoneOf(person.client);
    const rotated = await person.client.devices.rotate({ params, body: {} });
    await person.client.devices.move({ params, body: { server_id: second.identity.id } });
    await second.holds(rotated.public_key);
    await ends[name]?.(person, device.id);
    await Promise.all([
      first.lacks(device.public_key),
      first.lacks(rotated.public_key),
      second.lacks(rotated.public_key),
    ]);
    const { rows } = await service.database.pool.query("select from retiring_keys where device_id = $1", [
      device.id,
    ]);
    expect(rows).toEqual([]);
  });
});

describe("the former key", () => {
  test("is connected for its device, and counts for its account, also on the former server", async () => {
    const { client } = await service.person();
    const { device, params } = await phoneOf(client);
    await client.devices.rotate({ params, body: {} });
    await client.devices.move({ params, body: { server_id: second.identity.id } });
    await first.holds(device.public_key);
    const public_key = device.public_key;
    first.report([{ public_key, handshake_age_seconds: 5 }]);
    first.report([
      { public_key, handshake_age_seconds: 5, received_bytes: 5_000_000, sent_bytes: 1_000_000 },
    ]);
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
