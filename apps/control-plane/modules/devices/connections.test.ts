import { eventually } from "@securewave/testing/eventually";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectNode, type FakeNode, openTestApp } from "../../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());
let node: FakeNode;
beforeAll(async () => {
  node = await connectNode(service);
});

async function personWithDevice() {
  const person = await service.person();
  const device = await person.client.devices.create({ body: { name: "Phone" } });
  await node.holds(device.public_key);
  const show = async () => (await person.client.devices.show({ params: { id: device.id } })).connection;
  return { ...person, device, show };
}

test("a connected device shows in the list with its session's bytes, and is gone from it afterwards", async () => {
  const { client, device } = await personWithDevice();
  const listed = async () => (await client.devices.list()).items[0]?.connection;
  const public_key = device.public_key;
  await eventually(async () =>
    expect(await listed()).toMatchObject({ device_id: device.id, ready: true, connected: false }),
  );
  node.report([{ public_key, received_bytes: 1_000, sent_bytes: 9_000, handshake_age_seconds: 3 }]);
  await eventually(async () =>
    expect(await listed()).toMatchObject({
      connected: true,
      handshake_age_seconds: 3,
      received_bytes: 1_000,
      sent_bytes: 9_000,
    }),
  );
  node.report([{ public_key, received_bytes: 1_500, sent_bytes: 9_700, handshake_age_seconds: 8 }]);
  await eventually(async () =>
    expect(await listed()).toMatchObject({
      handshake_age_seconds: 8,
      received_bytes: 1_500,
      sent_bytes: 9_700,
    }),
  );
  node.report([]);
  await eventually(async () =>
    expect(await listed()).toMatchObject({
      connected: false,
      handshake_age_seconds: null,
      received_bytes: 0,
      sent_bytes: 0,
    }),
  );
});

test("a device is not connected three minutes after its last handshake, whatever its node forgets to say", async () => {
  const { device, show } = await personWithDevice();
  node.report([{ public_key: device.public_key, handshake_age_seconds: 179 }]);
  await eventually(async () => expect((await show()).connected).toBe(true));
  service.clock.advanceSeconds(1);
  expect((await show()).connected).toBe(false);
});

test("what is known of connections goes with the node's connection, and with the device", async () => {
  const { client, device, show } = await personWithDevice();
  node.report([{ public_key: device.public_key }]);
  await eventually(async () => expect((await show()).connected).toBe(true));
  await node.disconnect();
  expect(await show()).toMatchObject({ connected: false, ready: false });
  await node.connect();
  node.report([{ public_key: device.public_key }]);
  await eventually(async () => expect((await show()).connected).toBe(true));
  await client.devices.revoke({ params: { id: device.id } });
  expect((await show()).connected).toBe(false);
});

test("the stream tells all states at once, then each change, to the owner alone", async () => {
  const [{ client, device }, neighbour] = [await personWithDevice(), await personWithDevice()];
  const stop = new AbortController();
  const events = client.devices.watch({ signal: stop.signal })[Symbol.asyncIterator]();
  const next = async () => (await events.next()).value;
  expect(await next()).toMatchObject([{ device_id: device.id, connected: false }]);
  node.report([{ public_key: neighbour.device.public_key }]);
  node.report([
    { public_key: neighbour.device.public_key },
    { public_key: device.public_key, handshake_age_seconds: 2 },
  ]);
  expect(await next()).toMatchObject([{ device_id: device.id, connected: true, handshake_age_seconds: 2 }]);
  node.report([]);
  expect(await next()).toMatchObject([{ device_id: device.id, connected: false }]);
  stop.abort();
  await events.next().catch(() => undefined);
});

test("a stream that nobody reads any more is forgotten, also one that was asked for by HEAD", async () => {
  const { token } = await personWithDevice();
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  await service.send("/api/vpn/connections", { method: "HEAD", token });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = timers();
  for (let time = 0; time < 10; time++) {
    await service.send("/api/vpn/connections", { method: "HEAD", token });
    const stop = new AbortController();
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${service.baseUrl}/api/vpn/connections`, { headers, signal: stop.signal });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    stop.abort();
  }
  await eventually(() => expect(timers()).toBeLessThan(before + 5));
});

test("staff see how many are connected as a range only, one being like none", async () => {
  const { device } = await personWithDevice();
  const admin = await service.admin();
  const seen = async () => {
    const { connected } = await admin.client.nodes.show({ params: { id: node.identity.id } });
    const { active_connections } = await admin.client.service.metrics();
    return [connected, active_connections, (await admin.client.fleetDevices.totals()).connected];
  };
  node.report([]);
  const none = await seen();
  node.report([{ public_key: device.public_key }], "seen");
  await eventually(async () =>
    expect((await admin.client.nodes.show({ params: { id: node.identity.id } })).problem).toBe("seen"),
  );
  expect(await seen()).toEqual(none);
  node.report([]);
});

test("nothing that a node reports is written to any table, not even for a moment", async () => {
  const { pool } = service.database;
  await pool.query(`
    create sequence writes;
    grant usage on sequence writes to public;
    create function count_write() returns trigger language plpgsql as $$ begin perform nextval('writes'); return null; end $$;
    do $$ declare name text; begin
      for name in select format('%I.%I', schemaname, tablename) from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema') loop
        execute format('create trigger count_writes after insert or update or delete or truncate on %s
          for each statement execute function count_write()', name);
      end loop;
    end $$`);
  const writes = async () => {
    const { rows } = await pool.query(
      "select case when is_called then last_value else 0 end as count from writes",
    );
    return Number(rows[0].count);
  };
  const { client, device, show } = await personWithDevice();
  await service.app.audit.sign(); // what the owner did is in the trail before anything is counted
  const before = await writes();
  expect(before, "the counter counts").toBeGreaterThan(0);
  const contents = async () => {
    const { rows } = await pool.query(
      "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
    );
    const tables = await Promise.all(
      rows.map(({ table_name }) =>
        pool.query(`select xmin::text, ctid::text, * from ${table_name} order by 2`),
      ),
    );
    return JSON.stringify(tables.map((table) => table.rows));
  };
  const written = await contents();
  for (let round = 1; round <= 20; round++) {
    node.report(
      [{ public_key: device.public_key, received_bytes: round * 123_457, sent_bytes: round * 765_431 }],
      `round ${round}`,
    );
  }
  await eventually(async () => expect((await show()).received_bytes).toBe(20 * 123_457));
  await client.devices.list();
  node.report([]);
  await eventually(async () => expect((await show()).connected).toBe(false));
  node.socket().terminate();
  await node.ended();
  await node.connect();
  expect(await writes()).toBe(before);
  expect(await contents()).toBe(written);
});
