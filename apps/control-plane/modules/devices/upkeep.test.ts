import { invariant } from "@securewave/foundation";
import { afterAll, describe, expect, test } from "vitest";
import { freshKey, openKeyScene } from "./testing-keys.ts";

const { service, letters, renew, deliver, inDays, passDays, phoneOf } = await openKeyScene();
afterAll(() => service.close());

describe("as the days pass", () => {
  test("keys that the server made are changed when due, once, also late and by two at once", async () => {
    const { client, email, id } = await service.person();
    const { params } = await phoneOf(client);
    expect((await client.devices.show({ params })).next_rotation_on).toBe(inDays(90));
    await client.devices.change({ params, body: { rotation_days: 30 } });
    letters.length = 0;
    const own = () => letters.filter(({ accountId }) => accountId === id);
    passDays(29);
    await renew();
    expect(own()).toEqual([]);
    passDays(4);
    await Promise.all([renew(), renew()]);
    await renew();
    expect(own()).toEqual([{ accountId: id, deviceId: params.id, validUntil: inDays(7) }]);
    const { client: again } = await service.logIn(email);
    expect(await again.devices.show({ params })).toMatchObject({
      key_version: 2,
      next_rotation_on: inDays(30),
    });
    const [letter] = own();
    invariant(letter, "the owner is told");
    await deliver(letter);
    const mail = await service.latestMail(email);
    expect(mail.text).toContain(inDays(7));
    expect(mail.text).toContain(`/devices/${params.id}`);
  });

  test("owners of their own keys are reminded when due and each week after, once, also late", async () => {
    const { client, email, id } = await service.person();
    const { params } = await phoneOf(client, freshKey());
    await client.devices.change({ params, body: { rotation_days: 10 } });
    const countAfter = async (days: number) => {
      passDays(days);
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
