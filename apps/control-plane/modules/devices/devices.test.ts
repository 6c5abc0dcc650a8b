import { eventually } from "@securewave/testing/eventually";
import { LOW_ORDER_POINTS } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { codeOf, connectNode, type FakeNode, openTestApp } from "../../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());
let node: FakeNode;
beforeAll(async () => {
  node = await connectNode(service, { name: "First" });
});

const freshKey = () => generateKeyPair().publicKey;
const send = (token: string, body: object) => service.send("/api/vpn/devices", { token, body });

describe("adding a device", () => {
  test("with a key of its own: its tunnel is told, and the node has the peer before a second is over", async () => {
    const { client } = await service.person();
    const public_key = freshKey();
    const device = await client.devices.create({ body: { name: "Zoë's phone", type: "phone", public_key } });
    expect(device).toMatchObject({
      name: "Zoë's phone",
      type: "phone",
      state: "active",
      public_key,
      key_origin: "customer",
      server: { id: node.identity.id, name: "First", region: "Nowhere" },
      tunnel: {
        server_public_key: node.identity.publicKey,
        endpoint: { host: "vpn.example.org", port: 51820 },
        allowed_ips: ["0.0.0.0/0", "::/0"],
      },
    });
    const peer = await node.holds(public_key);
    expect(peer.allowedIps).toEqual(device.tunnel?.addresses);
    expect(peer.presharedKey).toBe(device.tunnel?.preshared_key);
    expect(await client.devices.show({ params: { id: device.id } })).toMatchObject({ tunnel: device.tunnel });
  });

  test("every device has a preshared key of its own, which stands in no table", async () => {
    const { client } = await service.person();
    const devices = await Promise.all(
      ["One", "Two"].map((name) => client.devices.create({ body: { name } })),
    );
    const keys = devices.map(({ tunnel }) => tunnel?.preshared_key ?? "");
    expect(new Set(keys).size).toBe(2);
    const rows = JSON.stringify(await service.database.db.selectFrom("devices").selectAll().execute());
    for (const key of keys) expect(rows).not.toContain(key);
  });

  test("the same name and key again is the same request again", async () => {
    const { client } = await service.person();
    const body = { name: "Phone", public_key: freshKey() };
    const first = await client.devices.create({ body });
    const again = await Promise.all([client.devices.create({ body }), client.devices.create({ body })]);
    expect(again.map(({ id }) => id)).toEqual([first.id, first.id]);
    expect((await client.devices.list()).items).toHaveLength(1);
  });

  test("a repeated request is answered also when no server is ready any more", async () => {
    const { client } = await service.person();
    const body = { name: "Phone", public_key: freshKey() };
    const { id } = await client.devices.create({ body });
    await node.disconnect();
    const codes = [
      codeOf(client.devices.create({ body: { name: "Other" } })),
      codeOf(client.devices.create({ body })),
    ];
    expect(await Promise.all(codes).finally(() => node.connect())).toEqual(["devices.no_server", "ok"]);
    expect((await client.devices.list()).items.map((device) => device.id)).toEqual([id]);
  });

  test("sent twenty times at once it is one device", async () => {
    const { client } = await service.person();
    const body = { name: "Phone", public_key: freshKey() };
    const devices = await Promise.all(Array.from({ length: 20 }, () => client.devices.create({ body })));
    expect(new Set(devices.map(({ id }) => id)).size).toBe(1);
  });

  test("a name belongs to one active device, and is free again when that is revoked", async () => {
    const [{ client }, neighbour] = [await service.person(), await service.person()];
    const { id } = await client.devices.create({ body: { name: "Phone" } });
    const second = client.devices.create({ body: { name: "Phone", public_key: freshKey() } });
    expect(await codeOf(second)).toBe("devices.name_in_use");
    expect(await codeOf(neighbour.client.devices.create({ body: { name: "Phone" } }))).toBe("ok");
    await client.devices.revoke({ params: { id } });
    expect(await codeOf(client.devices.create({ body: { name: "Phone" } }))).toBe("ok");
  });

  test.each<[string, string, number]>([
    ["of 31 bytes", Buffer.alloc(31, 9).toString("base64"), 400],
    ["of 33 bytes", Buffer.alloc(33, 9).toString("base64"), 400],
    ["with spaces around", ` ${Buffer.alloc(32, 9).toString("base64")}`, 400],
    ["in a second spelling", Buffer.alloc(32, 9).toString("base64").replace("k=", "l="), 400],
    ["above the prime", Buffer.alloc(32, 255).toString("base64"), 422],
    ...LOW_ORDER_POINTS.map(
      (point, index) => [`of low order (${index})`, point, 422] satisfies [string, string, number],
    ),
  ])("a key %s is refused", async (_, public_key, status) => {
    const { token } = await service.person();
    const answer = await send(token, { name: "Phone", public_key });
    expect(answer.status).toBe(status);
    expect(answer.json.issues[0].at).toBe("/public_key");
  });

  test("a key in use is refused: one's own, another's, a revoked one, and a server's", async () => {
    const [one, two] = [await service.person(), await service.person()];
    const public_key = freshKey();
    const { id } = await one.client.devices.create({ body: { name: "Phone", public_key } });
    const add = (client = two.client, key: string = public_key) =>
      codeOf(client.devices.create({ body: { name: "Other", public_key: key } }));
    expect(await add(one.client)).toBe("devices.key_in_use");
    expect(await add()).toBe("devices.key_in_use");
    await one.client.devices.revoke({ params: { id } });
    expect(await add()).toBe("devices.key_in_use");
    await one.client.devices.remove({ params: { id } });
    expect(await add()).toBe("ok");
    expect(await add(one.client, node.identity.publicKey)).toBe("devices.key_in_use");
  });

  test("of twenty requests at once, as many succeed as the account may have", async () => {
    const { client } = await service.person();
    const codes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        codeOf(client.devices.create({ body: { name: `Device ${index}` } })),
      ),
    );
    expect(codes.filter((code) => code === "ok")).toHaveLength(5);
    expect(new Set(codes)).toEqual(new Set(["ok", "devices.limit_reached"]));
    const { items } = await client.devices.list();
    expect(items).toHaveLength(5);
    await client.devices.revoke({ params: { id: items[0]?.id ?? "" } });
    expect(await codeOf(client.devices.create({ body: { name: "In its place" } }))).toBe("ok");
    expect(await codeOf(client.devices.create({ body: { name: "One more" } }))).toBe("devices.limit_reached");
  });

  test("an admin's new limit counts from the next device on", async () => {
    const { client } = await service.person();
    const admin = await service.admin();
    await admin.client.service.changeSettings({ body: { devices_per_account_max: 1 } });
    expect(await codeOf(client.devices.create({ body: { name: "One" } }))).toBe("ok");
    expect(await codeOf(client.devices.create({ body: { name: "Two" } }))).toBe("devices.limit_reached");
    await admin.client.service.changeSettings({ body: { devices_per_account_max: 5 } });
    expect(await codeOf(client.devices.create({ body: { name: "Two" } }))).toBe("ok");
  });
});

describe("ensuring a device", () => {
  test("adds it once and gives the same from then on, also to twenty at once", async () => {
    const { client } = await service.person();
    const ensure = () => client.devices.ensure({ params: { name: "Router 1/2" }, body: { type: "router" } });
    const devices = await Promise.all(Array.from({ length: 20 }, ensure));
    expect(new Set(devices.map(({ id }) => id)).size).toBe(1);
    expect(devices[0]).toMatchObject({ name: "Router 1/2", type: "router", state: "active" });
  });

  test("adds another when the one of that name was revoked", async () => {
    const { client } = await service.person();
    const ensure = () => client.devices.ensure({ params: { name: "Phone" }, body: {} });
    const first = await ensure();
    await client.devices.revoke({ params: { id: first.id } });
    expect((await ensure()).id).not.toBe(first.id);
  });
});

describe("renaming", () => {
  test("changes name and type alone", async () => {
    const { client } = await service.person();
    const { tunnel, ...device } = await client.devices.create({ body: { name: "Phone" } });
    const params = { id: device.id };
    const changed = await client.devices.change({ params, body: { name: "Laptop", type: "laptop" } });
    expect({ ...changed, connection: undefined }).toEqual({
      ...device,
      name: "Laptop",
      type: "laptop",
      connection: undefined,
    });
    expect((await client.devices.show({ params })).tunnel).toEqual(tunnel);
  });

  test("into the name of another active device is refused", async () => {
    const { client } = await service.person();
    await client.devices.create({ body: { name: "One" } });
    const { id } = await client.devices.create({ body: { name: "Two" } });
    const change = (name: string) => codeOf(client.devices.change({ params: { id }, body: { name } }));
    expect(await change("One")).toBe("devices.name_in_use");
    expect(await change("Two")).toBe("ok");
  });
});

describe("revoking", () => {
  test("takes the peer off the node and the secrets off the table, once", async () => {
    const { client } = await service.person();
    const device = await client.devices.create({ body: { name: "Phone" } });
    const params = { id: device.id };
    await node.holds(device.public_key);
    const revoked = await client.devices.revoke({ params });
    expect(revoked).toMatchObject({
      state: "revoked",
      server: null,
      connection: { ready: false, connected: false },
    });
    await node.lacks(device.public_key);
    const row = await service.database.db
      .selectFrom("devices")
      .selectAll()
      .where("id", "=", device.id)
      .executeTakeFirst();
    expect(row).toMatchObject({ sealed_private_key: null, preshared_key_master: null, address_index: null });
    const revision = node.revision();
    await client.devices.revoke({ params });
    expect(node.revision()).toBe(revision);
    expect(await codeOf(client.devices.config({ params }))).toBe("devices.revoked");
    expect(await codeOf(client.devices.qr({ params }))).toBe("devices.revoked");
    const move = client.devices.move({ params, body: { server_id: node.identity.id } });
    expect(await codeOf(move)).toBe("devices.revoked");
  });

  test("removing forgets the device; it works on an active one too", async () => {
    const { client } = await service.person();
    const { id, public_key } = await client.devices.create({ body: { name: "Phone" } });
    await node.holds(public_key);
    await client.devices.remove({ params: { id } });
    await node.lacks(public_key);
    expect(await codeOf(client.devices.show({ params: { id } }))).toBe("devices.not_found");
    expect(await codeOf(client.devices.remove({ params: { id } }))).toBe("devices.not_found");
  });

  test("eight at once give one place and one address back", async () => {
    const { client } = await service.person();
    const staff = await service.person("support");
    const { id } = await client.devices.create({ body: { name: "Phone" } });
    const before = await (await service.admin()).client.fleetDevices.totals();
    const acts = Array.from({ length: 8 }, (_, index) =>
      index % 2
        ? staff.client.fleetDevices.revoke({ params: { id } })
        : client.devices.revoke({ params: { id } }),
    );
    await Promise.all(acts);
    const after = await (await service.admin()).client.fleetDevices.totals();
    expect(after.devices_active).toBe(before.devices_active - 1);
    expect(after.addresses_in_use).toBe(before.addresses_in_use - 1);
    expect((await client.devices.list()).items).toMatchObject([{ state: "revoked" }]);
  });

  test("trying its key on another account in that very moment gets a refusal, not a failure", async () => {
    const [owner, other] = [await service.person(), await service.person()];
    const device = await owner.client.devices.create({
      body: { name: "Phone", server_id: node.identity.id },
    });
    const locker = await service.database.pool.connect();
    await locker.query("begin");
    await locker.query("select from nodes where id = $1 for update", [node.identity.id]);
    const waiting = (count: number) =>
      eventually(async () => {
        const { rows } = await locker.query(
          "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        );
        expect(rows).toHaveLength(count);
      });
    const body = { name: "Same key", public_key: device.public_key, server_id: node.identity.id };
    onTestFinished(() => locker.release(true));
    const creating = codeOf(other.client.devices.create({ body }));
    await waiting(1);
    const revoking = codeOf(owner.client.devices.revoke({ params: { id: device.id } }));
    await waiting(2);
    // Whoever waits for the node must not hold the device meanwhile: the other will wait for that.
    await locker.query("select from devices where id = $1 for update nowait", [device.id]);
    await locker.query("commit");
    expect(await Promise.all([creating, revoking])).toEqual(["devices.key_in_use", "ok"]);
  });

  test("staff list and revoke anybody's device, and see neither its connection nor its tunnel", async () => {
    const { client, id: account_id } = await service.person();
    const { id } = await client.devices.create({ body: { name: "Phone" } });
    const support = await service.person("support");
    const { items } = await support.client.fleetDevices.list({ query: { account_id } });
    expect(items).toMatchObject([{ id, account_id, name: "Phone" }]);
    expect(Object.keys(items[0] ?? {})).not.toContain("connection");
    expect(Object.keys(items[0] ?? {})).not.toContain("tunnel");
    await support.client.fleetDevices.revoke({ params: { id } });
    expect((await client.devices.show({ params: { id } })).state).toBe("revoked");
    const nobody = support.client.fleetDevices.list({ query: { account_id: "acc_00000000000000000000" } });
    expect(await codeOf(nobody)).toBe("accounts.not_found");
  });
});

describe("servers", () => {
  test("moving puts the peer onto the other node, with the same key and addresses", async () => {
    const second = await connectNode(service, { name: "Second", host: "2001:db8::7" });
    const { client } = await service.person();
    const device = await client.devices.create({ body: { name: "Phone", server_id: node.identity.id } });
    const peer = await node.holds(device.public_key);
    const moved = await client.devices.move({
      params: { id: device.id },
      body: { server_id: second.identity.id },
    });
    expect(await second.holds(device.public_key)).toEqual(peer);
    expect(moved.tunnel).toEqual({
      ...device.tunnel,
      server_public_key: second.identity.publicKey,
      endpoint: { host: "2001:db8::7", port: 51820 },
    });
    const back = client.devices.move({
      params: { id: device.id },
      body: { server_id: "node_00000000000000000000" },
    });
    expect(await codeOf(back)).toBe("devices.server_unavailable");
    await second.disconnect();
  });

  test("a draining, an offline and an unknown server take no devices", async () => {
    const admin = await service.admin();
    const { client } = await service.person();
    const other = await connectNode(service);
    const params = { id: other.identity.id };
    const add = (server_id: string) =>
      codeOf(client.devices.create({ body: { name: server_id, server_id } }));
    await admin.client.nodes.change({ params, body: { draining: true } });
    expect(await add(params.id)).toBe("devices.server_unavailable");
    expect((await client.servers.status({ params })).available).toBe(false);
    await admin.client.nodes.change({ params, body: { draining: false } });
    expect(await add(params.id)).toBe("ok");
    await other.disconnect();
    expect(await add(params.id)).toBe("devices.server_unavailable");
    expect(await add("node_00000000000000000000")).toBe("devices.server_unavailable");
  });

  test("a full server takes no more", async () => {
    const { client } = await service.person();
    const small = await connectNode(service, { name: "Small", capacity: 2 });
    const server_id = small.identity.id;
    await client.devices.create({ body: { name: "One", server_id } });
    await client.devices.create({ body: { name: "Two", server_id } });
    const third = client.devices.create({ body: { name: "Three", server_id } });
    expect(await codeOf(third)).toBe("devices.server_unavailable");
    await small.disconnect();
  });

  test("who has no wish gets a server with room, also when others have just filled the emptiest", async () => {
    const { client } = await service.person();
    const tiny = await connectNode(service, { name: "Tiny", capacity: 1 });
    await client.devices.create({ body: { name: "On the first", server_id: node.identity.id } });
    const devices = await Promise.all(
      Array.from({ length: 4 }, (_, index) => client.devices.create({ body: { name: `Device ${index}` } })),
    );
    expect(devices.map(({ server }) => server?.name).sort()).toEqual(["First", "First", "First", "Tiny"]);
    await tiny.disconnect();
  });

  test("without any node ready no device is added", async () => {
    const { client } = await service.person();
    await node.disconnect();
    expect(await codeOf(client.devices.create({ body: { name: "Phone" } }))).toBe("devices.no_server");
    await node.connect();
  });
});
