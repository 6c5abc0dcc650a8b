import { createManualClock } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { codeOf, connectNode, openTestApp, PASSWORD, type TestApp } from "../../testing.ts";

const START_MS = Date.parse("2026-11-20T10:00:00Z");
const HOUR = 3600;
let service: TestApp;
beforeEach(async () => {
  service = await openTestApp({ clock: createManualClock(START_MS), jobs: true });
});
afterEach(() => service.close());

const at = (hours: number) => new Date(START_MS + hours * HOUR * 1000).toISOString();
const WINDOW = { title: "New disks", text: "We change disks.\nNothing is lost.", notifies: false };

async function schedule(from: number, to: number, more: object = {}) {
  const { client } = await service.admin();
  return client.statusDesk.schedule({ body: { ...WINDOW, starts_at: at(from), ends_at: at(to), ...more } });
}
async function switchMode(mode: "off" | "read-only" | "closed") {
  const { client } = await service.admin();
  return client.statusDesk.switchMode({ body: { mode } });
}

describe("read-only", () => {
  test("customers look and change nothing, and are told when to come again; staff go on", async () => {
    const [customer, support] = [await service.person(), await service.person("support")];
    await switchMode("read-only");
    expect((await customer.client.devices.list()).items).toEqual([]);
    const refused = await service.send("/api/vpn/devices", {
      token: customer.token,
      body: { name: "Phone" },
    });
    expect(refused).toMatchObject({ status: 503, json: { code: "request.maintenance" } });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(
      await codeOf(
        service.client().accounts.register({ body: { email: "new@example.org", password: PASSWORD } }),
      ),
    ).toBe("request.maintenance");
    expect(
      await codeOf(support.client.statusDesk.openIncident({ body: { title: "Slow", text: "It is." } })),
    ).toBe("ok");
    await switchMode("off");
    expect(
      await codeOf(
        service.client().accounts.register({ body: { email: "new@example.org", password: PASSWORD } }),
      ),
    ).toBe("ok");
  });
});

describe("closed", () => {
  test("lets in staff alone, and tells everybody how the service is", async () => {
    const [customer, support] = [await service.person(), await service.person("support")];
    await switchMode("closed");
    expect(await codeOf(customer.client.devices.list())).toBe("request.maintenance");
    expect(await codeOf(service.logIn(customer.email))).toBe("request.maintenance");
    expect((await service.logIn(support.email)).role).toBe("support");
    expect((await support.client.nodes.list()).items).toEqual([]);
    for (const path of [
      "/api/health",
      "/api/health/ready",
      "/api/status",
      "/status",
      "/api/service",
      "/zero-log",
    ])
      expect((await service.send(path)).status, path).toBe(200);
    expect((await service.client().status.show()).mode).toBe("closed");
    expect((await service.send("/status")).text).toContain("closed to customers");
  });

  test("what it refuses counts as no failed request: nobody is to be woken for it", async () => {
    const customer = await service.person();
    await switchMode("closed");
    for (let time = 0; time < 3; time++) await codeOf(customer.client.devices.list());
    const samples = await service.app.telemetry.samples();
    const answered = samples.filter(({ name }) => name === "sentinel_requests_total");
    expect(answered.filter(({ labels }) => Number(labels.status) >= 500)).toEqual([]);
    expect(answered.length).toBeGreaterThan(0);
  });

  test("nodes stay connected, and take on what staff change", async () => {
    const node = await connectNode(service);
    await switchMode("closed");
    expect(service.app.nodes).toBeDefined();
    const { client } = await service.admin();
    expect((await client.nodes.list()).items).toMatchObject([{ state: "healthy" }]);
    await node.disconnect();
    await node.connect();
    await eventually(async () => {
      const { items } = await client.nodes.list();
      expect(items).toMatchObject([{ state: "healthy" }]);
    });
  });

  test("is known to another replica within a second", async () => {
    const other = await openTestApp({
      clock: service.clock,
      dataDir: service.config.store.dir,
      database: { ...service.database, close: async () => {} },
    });
    try {
      const customer = await service.person();
      const ask = () => other.send("/api/vpn/devices", { token: customer.token });
      expect((await ask()).status).toBe(200); // it holds what it has read
      await switchMode("closed");
      await eventually(async () => expect((await ask()).status).toBe(503), { timeoutMs: 1000 });
    } finally {
      await other.close();
    }
  });

  test("holds by MAINTENANCE_MODE, whatever is switched beside it", async () => {
    const configured = await openTestApp({ settings: { MAINTENANCE_MODE: "closed" } });
    try {
      expect(await codeOf(configured.person())).toBe("request.maintenance");
      const { client } = await configured.admin();
      expect(await client.statusDesk.switchMode({ body: { mode: "read-only" } })).toMatchObject({
        mode: "closed",
        configured: "closed",
        switched: "read-only",
      });
    } finally {
      await configured.close();
    }
  });
});

describe("a scheduled maintenance", () => {
  test("is announced 24 hours ahead at least, or is an emergency and shown as one", async () => {
    expect(await codeOf(schedule(23.9, 25))).toBe("status.too_soon");
    expect(await codeOf(schedule(25, 24.5))).toBe("status.wrong_times");
    expect(await codeOf(schedule(-1, 1, { is_emergency: true }))).toBe("status.wrong_times");
    expect(await codeOf(schedule(24, 24 + 7 * 24 + 1))).toBe("status.wrong_times");
    expect(await codeOf(schedule(367 * 24, 367 * 24 + 1))).toBe("status.wrong_times");
    expect(await codeOf(schedule(24, 25, { components: ["tunnels/Atlantis"] }))).toBe(
      "status.no_such_component",
    );
    await schedule(24, 25);
    await schedule(0.5, 1, { is_emergency: true, title: "Leak" });
    const { maintenance } = await service.client().status.show();
    expect(maintenance.map(({ title, is_emergency }) => [title, is_emergency])).toEqual([
      ["Leak", true],
      ["New disks", false],
    ]);
    const page = (await service.send("/status")).text;
    expect(page).toContain("Emergency: announced less than 24 hours ahead");
  });

  test("begins and ends its mode by itself", async () => {
    const customer = await service.person();
    await schedule(24, 25, { mode: "closed" });
    const mode = async () => (await service.app.operations.serviceMode.current()).mode;
    expect(await mode()).toBe("off");
    service.clock.advanceSeconds(24 * HOUR - 1);
    expect(await mode()).toBe("off");
    service.clock.advanceSeconds(1);
    expect(await mode()).toBe("closed");
    expect(await codeOf(service.logIn(customer.email))).toBe("request.maintenance");
    service.clock.advanceSeconds(HOUR);
    expect(await mode()).toBe("off");
    expect(await codeOf(service.logIn(customer.email))).toBe("ok");
  });

  test("cannot be moved nearer than a day unless it is then an emergency, nor once it has begun", async () => {
    const { client } = await service.admin();
    const { id } = await schedule(30, 31);
    const change = (body: object) => codeOf(client.statusDesk.reschedule({ params: { id }, body }));
    expect(await change({ starts_at: at(23) })).toBe("status.too_soon");
    expect(await change({ starts_at: at(26) })).toBe("ok");
    expect(await change({ title: "Newer disks" })).toBe("ok");
    expect(await change({ starts_at: at(2), is_emergency: true })).toBe("ok");
    service.clock.advanceSeconds(3 * HOUR);
    expect(await change({ title: "Too late" })).toBe("status.already_begun");
    expect((await client.statusDesk.cancel({ params: { id } })).state).toBe("over"); // it ends
    expect(await codeOf(client.statusDesk.cancel({ params: { id } }))).toBe("status.already_begun");
    const absent = `mnt_${"0".repeat(20)}`;
    expect(await codeOf(client.statusDesk.cancel({ params: { id: absent } }))).toBe(
      "status.maintenance_not_found",
    );
  });

  test("is listed by pages, the latest first", async () => {
    for (const hours of [24, 30, 27]) await schedule(hours, hours + 1, { title: `In ${hours}` });
    const { client } = await service.admin();
    const first = await client.statusDesk.windows({ query: { limit: 2 } });
    expect(first.items.map(({ title }) => title)).toEqual(["In 30", "In 27"]);
    const rest = await client.statusDesk.windows({ query: { limit: 2, cursor: first.next_cursor ?? "" } });
    expect(rest.items.map(({ title }) => title)).toEqual(["In 24"]);
  });
});

describe("letters", () => {
  const lettersTo = async (email: string) =>
    (await service.mails()).filter(({ to }) => to.includes(email)).map(({ subject }) => subject);

  test("go once to each customer whom it concerns, again before it begins, and when it is called off", async () => {
    await connectNode(service);
    const [there, elsewhere] = [await service.person(), await service.person()];
    await there.client.devices.create({ body: { name: "Phone" } });
    const { items } = await (await service.admin()).client.nodes.list();
    const components = [`tunnels/${items[0]?.region}`];
    const { id } = await schedule(30, 31, { components, notifies: true });
    await eventually(async () =>
      expect(await lettersTo(there.email)).toEqual(["SecureWave: maintenance is planned"]),
    );
    service.clock.advanceSeconds(28 * HOUR + 60);
    await eventually(async () => expect((await lettersTo(there.email)).sort()).toHaveLength(2));
    const admin = await service.logIn((await service.admin()).email);
    await admin.client.statusDesk.cancel({ params: { id } });
    await eventually(async () => expect(await lettersTo(there.email)).toHaveLength(3));
    expect((await lettersTo(there.email)).sort()).toEqual([
      "SecureWave: maintenance begins soon",
      "SecureWave: maintenance is planned",
      "SecureWave: maintenance was cancelled",
    ]);
    expect(await lettersTo(elsewhere.email)).toEqual([]);
    expect(await lettersTo((await service.admin()).email)).toEqual([]);
  });

  test("say that it is an emergency", async () => {
    const customer = await service.person();
    await schedule(30, 31, { notifies: true });
    await schedule(1, 2, { notifies: true, is_emergency: true, title: "Leak" });
    await eventually(async () => expect(await lettersTo(customer.email)).toHaveLength(2));
    const urgent = (await service.mails()).filter(({ text }) => text.includes("It is an emergency"));
    expect(urgent.map(({ text }) => text.includes("“Leak”"))).toEqual([true]);
  });

  test("tell the new time of what is moved, and go again before it begins; nothing is sent of fewer minutes", async () => {
    const customer = await service.person();
    const { id } = await schedule(30, 32, { notifies: true });
    await eventually(async () => expect(await lettersTo(customer.email)).toHaveLength(1));
    service.clock.advanceSeconds(28 * HOUR + 60);
    await eventually(async () => expect(await lettersTo(customer.email)).toHaveLength(2));
    const { statusDesk } = (await service.logIn((await service.admin()).email)).client;
    await statusDesk.reschedule({ params: { id }, body: { starts_at: at(54), ends_at: at(56) } });
    await eventually(async () => expect(await lettersTo(customer.email)).toHaveLength(3));
    const moved = (await service.mails()).find(({ subject }) => subject.endsWith("was changed"));
    expect(moved?.text).toContain("from 2026-11-22 16:00 UTC to 2026-11-22 18:00 UTC");
    await statusDesk.reschedule({ params: { id }, body: { ends_at: at(55) } });
    service.clock.advanceSeconds(24 * HOUR);
    await eventually(async () => expect(await lettersTo(customer.email)).toHaveLength(4));
    expect((await lettersTo(customer.email)).sort()).toEqual([
      "SecureWave: maintenance begins soon",
      "SecureWave: maintenance begins soon",
      "SecureWave: maintenance is planned",
      "SecureWave: maintenance was changed",
    ]);
  });
});
