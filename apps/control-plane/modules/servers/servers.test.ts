import { createId } from "@securewave/foundation";
import { afterAll, describe, expect, test } from "vitest";
import { BERLIN, connectNodeAt, PARIS, setDraining, TOKYO } from "../../testing/places.ts";
import { codeOf, openTestApp } from "../../testing.ts";

const service = await openTestApp({
  settings: { COUNTRY_HEADER: "CF-IPCountry", TRUSTED_PROXIES: "127.0.0.1" },
});
afterAll(() => service.close());
const admin = await service.admin();
const berlin = await connectNodeAt(service, "Berlin", { ...BERLIN, capacity: 10 });
const paris = await connectNodeAt(service, "Paris", { ...PARIS, tags: ["fast"] });
const tokyo = await connectNodeAt(service, "Tokyo", TOKYO);
await admin.client.nodes.create({ body: { name: "Joining", region: "Germany" } });

const person = await service.person();
const { servers } = person.client;

const fastPlan = await admin.client.plans.create({ body: { name: "Fast", server_tags: ["fast", "gaming"] } });
const fastPerson = await service.person();
await admin.client.plans.assign({ params: { id: fastPerson.id }, body: { plan_id: fastPlan.id } });

const addTo = (name: string, place: object, client = person.client) =>
  client.devices.create({ body: { name, ...place } });

describe("the list", () => {
  test("is by name, page by page, searched by name or region, and without nodes that never joined", async () => {
    const all = await servers.list();
    expect(all.items.map(({ name }) => name)).toEqual(["Berlin", "Paris", "Tokyo"]);
    const first = await servers.list({ query: { limit: 2 } });
    expect(first.items.map(({ name }) => name)).toEqual(["Berlin", "Paris"]);
    const second = await servers.list({ query: { limit: 2, cursor: first.next_cursor ?? "" } });
    expect(second).toMatchObject({ items: [{ name: "Tokyo" }], next_cursor: null });
    const named = async (search: string) =>
      (await servers.list({ query: { search } })).items.map(({ name }) => name);
    expect(await named("BER")).toEqual(["Berlin"]);
    expect(await named("japan")).toEqual(["Tokyo"]);
    expect(await named("%")).toEqual([]);
  });

  test("says how far each is from a country, and which of them one's plan has", async () => {
    const { items } = await servers.list({ query: { country: "DE" } });
    expect(items).toEqual([
      expect.objectContaining({ name: "Berlin", included: true, available: true, load: "low" }),
      expect.objectContaining({ name: "Paris", included: false }),
      expect.objectContaining({ name: "Tokyo", included: true }),
    ]);
    const [near, , far] = items;
    expect(near?.distance_km).toBeLessThan(500);
    expect(far?.distance_km).toBeGreaterThan(8000);
    expect(near?.score).toBeGreaterThan((far?.score ?? 0) + 5);
    expect((await servers.list()).items.map(({ distance_km }) => distance_km)).toEqual([null, null, null]);
    const fast = await fastPerson.client.servers.list();
    expect(fast.items.map(({ included }) => included)).toEqual([true, true, true]);
  });

  test("one server is shown alike; none that is not there or never joined", async () => {
    const { items } = await servers.list({ query: { country: "FR" } });
    for (const server of items) {
      expect(await servers.status({ params: { id: server.id }, query: { country: "FR" } })).toEqual(server);
    }
    const { items: nodes } = await admin.client.nodes.list({ query: { search: "Joining" } });
    for (const id of [nodes[0]?.id ?? "", createId("node")]) {
      expect(await codeOf(servers.status({ params: { id } }))).toBe("servers.not_found");
    }
  });
});

describe("the country", () => {
  const send = (token: string, country: string, path = "/api/vpn/servers") =>
    service.send(path, { token, headers: { "cf-ipcountry": country } });

  test("is that of the header where the request names none, from a trusted proxy only", async () => {
    const near = await send(person.token, "JP");
    expect(near.json.items.map(({ distance_km }: { distance_km: number }) => distance_km < 1000)).toEqual([
      false,
      false,
      true,
    ]);
    const named = await send(person.token, "JP", "/api/vpn/servers?country=DE");
    expect(named.json.items[0].distance_km).toBeLessThan(500);
    for (const nonsense of ["T1", "XX", "de", "DEU", "<b>"]) {
      const answer = await send(person.token, nonsense);
      expect([nonsense, answer.json.items[0].distance_km]).toEqual([nonsense, null]);
    }
    const direct = await openTestApp({ settings: { COUNTRY_HEADER: "CF-IPCountry" } });
    try {
      await connectNodeAt(direct, "Berlin", BERLIN);
      const { token } = await direct.person();
      const answer = await direct.send("/api/vpn/servers", { token, headers: { "cf-ipcountry": "JP" } });
      expect(answer.json.items[0].distance_km).toBeNull();
    } finally {
      await direct.close();
    }
  });

  test("chooses a new device's server, and is kept nowhere", async () => {
    const body = { name: "By header" };
    const made = await service.send("/api/vpn/devices", {
      method: "POST",
      token: person.token,
      body,
      headers: { "cf-ipcountry": "JP" },
    });
    expect(made.json.server.name).toBe("Tokyo");
    expect((await addTo("By body", { country: "DE" })).server?.name).toBe("Berlin");
    const columns = await service.database.pool.query<{ found: string }>(
      "select table_name || '.' || column_name as found from information_schema.columns where column_name like '%country%'",
    );
    expect(columns.rows).toEqual([]);
    expect(service.logLines.join("\n")).not.toMatch(/\bJP\b|\bDE\b/);
  });
});

describe("the best", () => {
  const names = async (query: object, { client } = person) =>
    (await client.servers.best({ query })).items.map(({ name }) => name);

  test("come by score, of one's own plan only, and as many as are asked for", async () => {
    expect(await names({ country: "FR" })).toEqual(["Berlin", "Tokyo"]);
    expect(await names({ country: "FR" }, fastPerson)).toEqual(["Paris", "Berlin", "Tokyo"]);
    expect(await names({ country: "JP", limit: 1 })).toEqual(["Tokyo"]);
    expect(await names({ region: "Japan" })).toEqual(["Tokyo"]);
  });

  test("of a region without one, the nearest other region is named", async () => {
    const { items, alternative } = await servers.best({ query: { region: "France" } });
    expect(items).toEqual([]);
    expect(alternative).toEqual({ region: "Germany", distance_km: expect.closeTo(877, -1) });
    expect((await servers.best({ query: { region: "Germany" } })).alternative).toBeNull();
  });

  test("neither these nor the list tell how many devices a server has", async () => {
    const shown = () => servers.status({ params: { id: berlin.identity.id } });
    const before = await shown();
    await addTo("One more", { server_id: berlin.identity.id });
    expect(await shown()).toEqual(before);
  });
});

describe("a device", () => {
  test("goes to a server of the wished region, and says which is nearest when there is none", async () => {
    expect((await addTo("Traveller", { region: "Japan", country: "DE" })).server?.name).toBe("Tokyo");
    await expect(addTo("None", { region: "France" })).rejects.toMatchObject({
      code: "devices.region_unavailable",
      message: expect.stringMatching(/nearest region that has one is Germany, 8\d\d km away\.$/),
    });
    await expect(addTo("None", { region: "Atlantis", country: "JP" })).rejects.toMatchObject({
      message: expect.stringMatching(/is Japan, \d+ km away\.$/),
    });
    const put = await person.client.devices.ensure({
      params: { name: "Traveller" },
      body: { region: "Germany" },
    });
    expect(put.server?.name).toBe("Tokyo");
  });

  test("gets no server that the plan does not have, neither new nor moved", async () => {
    const wish = { server_id: paris.identity.id };
    expect(await codeOf(addTo("Fast", wish))).toBe("devices.server_not_included");
    const device = await addTo("Slow", { server_id: berlin.identity.id });
    const params = { id: device.id };
    expect(await codeOf(person.client.devices.move({ params, body: wish }))).toBe(
      "devices.server_not_included",
    );
    expect((await addTo("Fast", wish, fastPerson.client)).server?.name).toBe("Paris");
  });

  test("stays where it is when its owner's plan has the server no more", async () => {
    const owner = await service.person();
    const assign = (plan_id: string) =>
      admin.client.plans.assign({ params: { id: owner.id }, body: { plan_id } });
    await assign(fastPlan.id);
    const device = await addTo("Phone", { server_id: paris.identity.id }, owner.client);
    const { items } = await admin.client.plans.list({ query: { search: "Standard" } });
    await assign(items[0]?.id ?? "");
    const shown = await owner.client.devices.show({ params: { id: device.id } });
    expect(shown.server?.name).toBe("Paris");
    expect((await owner.client.servers.list()).items.find(({ name }) => name === "Paris")?.included).toBe(
      false,
    );
  });

  test("moves to a region; where it is already, it stays, however often that is asked for", async () => {
    const owner = await service.person();
    const device = await addTo("Phone", { region: "Germany" }, owner.client);
    const move = (body: object) => owner.client.devices.move({ params: { id: device.id }, body });
    expect((await move({ region: "Germany" })).retiring).toEqual([]);
    expect((await move({ region: "Japan" })).server?.name).toBe("Tokyo");
    expect(await move({ region: "Japan" })).toMatchObject({ server: { name: "Tokyo" }, retiring: [{}] });
    expect(await codeOf(move({ region: "France" }))).toBe("devices.region_unavailable");
    expect((await move({})).server?.name).toBe("Berlin");
  });

  test("is not given to a server that drains, is full, is gone or has been copied", async () => {
    const owner = await service.person();
    const code = () => codeOf(addTo("Phone", { region: "Japan" }, owner.client));
    await setDraining(service, tokyo, true);
    expect(await code()).toBe("devices.region_unavailable");
    await setDraining(service, tokyo, false);
    const params = { id: tokyo.identity.id };
    const { devices, capacity } = await admin.client.nodes.show({ params });
    await admin.client.nodes.change({ params, body: { capacity: devices } });
    expect(await code()).toBe("devices.region_unavailable");
    await admin.client.nodes.change({ params, body: { capacity } });
    await tokyo.disconnect();
    await expect.poll(code).toBe("devices.region_unavailable");
    await tokyo.connect();
    const { db } = service.database;
    const change = async (values: { cloned_on: string | null }) => {
      await db.updateTable("nodes").set(values).where("id", "=", tokyo.identity.id).execute();
      await admin.client.nodes.change({ params: { id: tokyo.identity.id }, body: { region: "Japan" } });
    };
    await change({ cloned_on: "2026-01-01" });
    expect(await code()).toBe("devices.region_unavailable");
    await change({ cloned_on: null });
    expect((await addTo("Phone", { region: "Japan" }, owner.client)).server?.name).toBe("Tokyo");
  });

  test("goes to a degraded server where there is no other", async () => {
    const owner = await service.person();
    const count = async (counting: string) => {
      await service.database.pool.query("update nodes set counting = $1 where name = 'Tokyo'", [counting]);
      await admin.client.nodes.change({ params: { id: tokyo.identity.id }, body: TOKYO });
    };
    await count("quarantined");
    const { items, alternative } = await servers.best({ query: { region: "Japan" } });
    expect(items).toMatchObject([{ name: "Tokyo" }]);
    expect(alternative).toMatchObject({ region: "Germany" });
    expect((await addTo("Phone", { region: "Japan" }, owner.client)).server?.name).toBe("Tokyo");
    await count("trusted");
  });

  test("goes to no server that says itself that it cannot serve", async () => {
    const owner = await service.person();
    tokyo.report([], "no room on the disk");
    await expect
      .poll(() => codeOf(addTo("Phone", { region: "Japan" }, owner.client)))
      .toBe("devices.region_unavailable");
    tokyo.report([]);
    await expect
      .poll(async () => (await servers.best({ query: { region: "Japan" } })).items)
      .toMatchObject([{ name: "Tokyo" }]);
  });
});
