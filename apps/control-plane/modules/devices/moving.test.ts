import { afterAll, describe, expect, test } from "vitest";
import { setDraining } from "../../testing/places.ts";
import { codeOf } from "../../testing.ts";
import { openKeyScene } from "./testing-keys.ts";

const { service, first, second, retire, inDays, passDays, phoneOf } = await openKeyScene();
afterAll(() => service.close());

describe("moving", () => {
  test("without another server is refused, and the device stays where it is", async () => {
    const { client } = await service.person();
    const { device, params } = await phoneOf(client);
    await setDraining(service, second, true);
    expect(await codeOf(client.devices.move({ params, body: {} }))).toBe("devices.no_other_server");
    await setDraining(service, second, false);
    expect(await client.devices.show({ params })).toMatchObject({ server: device.server, retiring: [] });
  });

  test("keeps the former server's peer until the end of tomorrow", async () => {
    const { client } = await service.person();
    const { device, params } = await phoneOf(client);
    const moved = await client.devices.move({ params, body: { server_id: second.identity.id } });
    expect(moved).toMatchObject({
      server: { name: "Second" },
      retiring: [{ public_key: device.public_key, server: { name: "First" }, valid_until: inDays(1) }],
    });
    expect(await second.holds(device.public_key)).toEqual(await first.holds(device.public_key));
    passDays(1);
    await retire();
    await first.holds(device.public_key);
    passDays(1);
    await retire();
    await first.lacks(device.public_key);
    await second.holds(device.public_key);
  });

  test("without a wish goes to another server, and back at once where it was", async () => {
    const { client } = await service.person();
    const { device, params } = await phoneOf(client);
    expect((await client.devices.move({ params, body: {} })).server?.name).toBe("Second");
    const back = await client.devices.move({ params, body: { server_id: first.identity.id } });
    expect(back.retiring).toMatchObject([{ server: { name: "Second" } }]);
    passDays(2);
    await retire();
    await first.holds(device.public_key);
    await second.lacks(device.public_key);
  });

  test("and rotating combine: each key ends where and when its time is over", async () => {
    const { client, email } = await service.person();
    const { device, params } = await phoneOf(client);
    await client.devices.move({ params, body: { server_id: second.identity.id } });
    const rotated = await client.devices.rotate({ params, body: {} });
    expect(rotated.retiring.map(({ server, valid_until }) => [server?.name, valid_until])).toEqual([
      ["First", inDays(1)],
      ["Second", inDays(7)],
    ]);
    await client.devices.move({ params, body: { server_id: first.identity.id } });
    await first.holds(rotated.public_key);
    passDays(2);
    await retire();
    await first.lacks(device.public_key);
    await second.lacks(rotated.public_key);
    await second.holds(device.public_key);
    passDays(6);
    await retire();
    await second.lacks(device.public_key);
    const { client: again } = await service.logIn(email);
    expect(await again.devices.show({ params })).toMatchObject({ retiring: [], server: { name: "First" } });
  });

  test("in opposite directions at once: all arrive", async () => {
    const people = await Promise.all(Array.from({ length: 6 }, () => service.person()));
    const phones = await Promise.all(people.map(({ client }) => phoneOf(client)));
    const sides = [first, second];
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
