import { REFUSALS } from "@securewave/contracts/node-protocol";
import { dayOf } from "@securewave/foundation";
import { afterAll, describe, expect, test } from "vitest";
import { codeOf, connectNode, createFakeNode, joinNode, openTestApp, useJoinToken } from "../../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());

const admin = (await service.admin()).client.nodes;
const today = () => dayOf(service.clock.now());

describe("a node that was removed", () => {
  test("is shown with its day and listed with the removed alone; nothing more can be done with it", async () => {
    const { node } = await admin.create({ body: { name: "Gone-1", region: "Nowhere" } });
    const params = { id: node.id };
    await admin.remove({ params });
    expect(await admin.show({ params })).toMatchObject({
      state: "removed",
      removed_on: today(),
      problem: null,
    });
    const search = { search: "Gone-1" };
    expect((await admin.list({ query: search })).items).toEqual([]);
    expect((await admin.list({ query: { ...search, removed: true } })).items).toMatchObject([
      { id: node.id },
    ]);
    const body = { region: "Elsewhere" };
    for (const act of [
      () => admin.remove({ params }),
      () => admin.change({ params, body }),
      () => admin.renewJoinToken({ params }),
      () => admin.trust({ params }),
    ]) {
      expect(await codeOf(act())).toBe("nodes.not_found");
    }
  });

  test("gives its name, its key and its credential free, as often as one likes", async () => {
    for (let round = 0; round < 3; round++) {
      const { node, join } = await admin.create({ body: { name: "Again", region: "Nowhere" } });
      expect(await codeOf(admin.create({ body: { name: "Again", region: "Nowhere" } }))).toBe(
        "nodes.name_in_use",
      );
      await useJoinToken(service, join.join_token);
      await admin.remove({ params: { id: node.id } });
    }
    const names = [];
    let cursor: string | null | undefined;
    do {
      const page = await admin.list({
        query: { removed: true, search: "Again", limit: 1, ...(cursor ? { cursor } : {}) },
      });
      names.push(...page.items.map(({ name, id }) => `${name} ${id}`));
      cursor = page.next_cursor;
    } while (cursor);
    expect(new Set(names).size, "pages go on among those of one name").toBe(3);
  });

  test("can be joined with no token that was made for it", async () => {
    const { node, join } = await admin.create({ body: { name: "Unused", region: "Nowhere" } });
    await admin.remove({ params: { id: node.id } });
    expect(await codeOf(useJoinToken(service, join.join_token))).toBe("nodes.join_token_invalid");
  });

  test("is in no list that customers see, and takes no device", async () => {
    const identity = await joinNode(service);
    const person = await service.person();
    await admin.remove({ params: { id: identity.id } });
    const { items } = await person.client.servers.list({ query: { limit: 100 } });
    expect(items.map(({ id }) => id)).not.toContain(identity.id);
    expect(await codeOf(person.client.servers.status({ params: { id: identity.id } }))).toBe(
      "servers.not_found",
    );
    const create = person.client.devices.create({ body: { name: "D", server_id: identity.id } });
    expect(await codeOf(create)).toBe("devices.server_unavailable");
  });

  test("says so to its agent only once that has proved itself", async () => {
    const node = await connectNode(service);
    await admin.remove({ params: { id: node.identity.id } });
    expect(await node.ended()).toMatchObject({ reason: REFUSALS.removed });
    const other = await joinNode(service);
    const stranger = createFakeNode(service, { ...other, id: node.identity.id });
    await expect(stranger.connect()).rejects.toThrow("nodes.not_recognised");
    await expect(node.connect()).rejects.toThrow(REFUSALS.removed);
  });
});

describe("a node that devices were moved away from", () => {
  async function movedAway() {
    const [former, next] = [await connectNode(service), await connectNode(service)];
    const person = await service.person();
    const device = await person.client.devices.create({
      body: { name: "Phone", server_id: former.identity.id },
    });
    await former.holds(device.public_key);
    await person.client.devices.move({ params: { id: device.id }, body: { server_id: next.identity.id } });
    await next.holds(device.public_key);
    return { former, next, device, person, params: { id: former.identity.id } };
  }

  test("says until when they can use it, and is kept until then", async () => {
    const { former, device, params } = await movedAway();
    const { former_places_until: until } = await admin.show({ params });
    expect(until).toBeTypeOf("string");
    expect(await codeOf(admin.remove({ params }))).toBe("nodes.still_used");
    expect(await admin.show({ params })).toMatchObject({ state: "healthy", devices: 0 });
    expect(former.peers.size).toBe(1);
    await former.holds(device.public_key);
  });

  test("goes at once where staff say so, with what they could use; the devices stay where they are", async () => {
    const { former, next, device, person, params } = await movedAway();
    await admin.remove({ params, query: { now: true } });
    expect(await former.ended()).toMatchObject({ reason: REFUSALS.removed });
    expect(await admin.show({ params })).toMatchObject({ state: "removed", former_places_until: null });
    const { rows } = await service.database.pool.query("select from peers where node_id = $1", [params.id]);
    expect(rows).toEqual([]);
    await next.holds(device.public_key);
    const shown = await person.client.devices.show({ params: { id: device.id } });
    expect(shown).toMatchObject({ server: { id: next.identity.id }, retiring: [] });
    await person.client.devices.revoke({ params: { id: device.id } });
    await next.lacks(device.public_key);
  });
});

test("of a removal and a device that is added at the same moment, one is done and the other refused", async () => {
  for (let round = 0; round < 5; round++) {
    const node = await connectNode(service);
    const person = await service.person();
    const params = { id: node.identity.id };
    const outcomes = await Promise.all([
      codeOf(admin.remove({ params })),
      codeOf(person.client.devices.create({ body: { name: "D", server_id: params.id } })),
    ]);
    const { devices, state } = await admin.show({ params });
    expect([
      ["nodes.not_empty", "ok"],
      ["ok", "devices.server_unavailable"],
    ]).toContainEqual(outcomes);
    expect(devices).toBe(state === "removed" ? 0 : 1);
  }
});
