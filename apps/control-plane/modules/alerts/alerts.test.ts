import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createManualClock, MINUTE_MS } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { afterAll, expect, test } from "vitest";
import { createLogger } from "../../logger.ts";
import { codeOf, connectNode, openTestApp } from "../../testing.ts";
import { createAlerts, createHeartbeat } from "./index.ts";

/** A node proves itself by the time of the day. */
const START_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
const clock = createManualClock(START_MS);
const service = await openTestApp({ jobs: true, clock });
afterAll(() => service.close());
const { alerts } = service.app;
const admin = await service.admin();

async function judgeFor(minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    clock.advanceSeconds(60);
    await alerts.judge();
  }
}
const minuteAfterStart = (minutes: number) => new Date(START_MS + minutes * MINUTE_MS).toISOString();
const stateOf = async (name: string) =>
  (await admin.client.alerts.list()).items.find((alert) => alert.name === name);
const lettersTo = async (email: string, name: string) =>
  (await service.mails()).filter(({ to, subject }) => to.includes(email) && subject?.endsWith(name));

test("an alert fires once what it watches lasted, tells admins once, and tells them when it is over", async () => {
  const node = await connectNode(service);
  await alerts.judge();
  expect(await stateOf("NodeOffline")).toMatchObject({ state: "quiet", since: null });
  await node.disconnect();
  await judgeFor(3);
  expect(await stateOf("NodeOffline")).toMatchObject({ state: "quiet" });
  await judgeFor(1);
  expect(await stateOf("NodeOffline")).toMatchObject({ state: "firing", since: minuteAfterStart(4) });
  expect((await admin.client.alerts.list()).items[0]).toMatchObject({ name: "NodeOffline" });
  await judgeFor(3);
  await eventually(async () => expect(await lettersTo(admin.email, "NodeOffline")).toHaveLength(1));
  const [letter] = await lettersTo(admin.email, "NodeOffline");
  expect(letter?.subject).toBe("SecureWave: critical: NodeOffline");
  expect(letter?.text).toContain("/admin/alerts");

  await node.connect();
  await judgeFor(5);
  expect(await stateOf("NodeOffline")).toMatchObject({ state: "firing" }); // it may be gone again at once
  await judgeFor(1);
  expect(await stateOf("NodeOffline")).toMatchObject({ state: "quiet" });
  await eventually(async () => expect(await lettersTo(admin.email, "over: NodeOffline")).toHaveLength(1));
  const { items } = await admin.client.alerts.history({ query: { limit: 20 } });
  expect(items.filter(({ name }) => name === "NodeOffline")).toEqual([
    {
      name: "NodeOffline",
      severity: "critical",
      began_at: minuteAfterStart(4),
      ended_at: minuteAfterStart(13),
    },
  ]);
  await node.disconnect();
});

test("a silenced alert writes to nobody; who wants silence says why, and what still fires is told when it ends", async () => {
  const before = (await lettersTo(admin.email, "critical: NodeOffline")).length;
  const silenced = await admin.client.alerts.silence({
    params: { name: "NodeOffline" },
    body: { minutes: 10, reason: "its hoster moves it" },
  });
  expect(silenced.silence).toMatchObject({ reason: "its hoster moves it" });
  await judgeFor(5);
  expect(await stateOf("NodeOffline")).toMatchObject({ state: "firing", silence: silenced.silence });
  expect(await lettersTo(admin.email, "critical: NodeOffline")).toHaveLength(before);
  await judgeFor(6);
  await eventually(async () =>
    expect(await lettersTo(admin.email, "critical: NodeOffline")).toHaveLength(before + 1),
  );
  expect(await stateOf("NodeOffline")).toMatchObject({ state: "firing", silence: null });

  const params = { name: "NodeOffline" };
  expect(await codeOf(admin.client.alerts.unsilence({ params }))).toBe("alerts.not_silenced");
  await admin.client.alerts.silence({ params, body: { minutes: 1, reason: "again" } });
  await admin.client.alerts.unsilence({ params });
  const unknown = { params: { name: "NoSuchAlert" }, body: { minutes: 1, reason: "why" } };
  expect(await codeOf(admin.client.alerts.silence(unknown))).toBe("alerts.not_found");
  expect(await codeOf(admin.client.alerts.unsilence(unknown))).toBe("alerts.not_found");
  await eventually(async () => {
    const trail = await admin.client.audit.list({ query: { actor: admin.id, search: "silenced" } });
    expect(trail.items.map(({ body }) => body?.kind)).toEqual([
      "alert_unsilenced",
      "alert_silenced",
      "alert_silenced",
    ]);
  });
});

test("of two processes one judges, and the other takes over once it does no more", async () => {
  const told: string[] = [];
  const replica = createAlerts({
    database: service.database,
    clock,
    audit: service.app.audit,
    logger: createLogger("error"),
    telemetry: {
      gauge: () => {},
      samples: async () => [{ name: "securewave_disk_used_share", labels: {}, value: 0.99 }],
    },
    jobs: { define: () => {}, send: async (_name, data) => void told.push(JSON.stringify(data)) },
    accounts: { find: async () => undefined, listAdmins: async () => [admin.id] },
    mail: { deliver: async () => {} },
    settings: {
      read: () => Promise.reject(new Error("no letter is written here")),
      change: () => Promise.reject(),
    },
    publicUrl: "http://localhost",
    heartbeat: createHeartbeat(undefined),
    isWanted: true,
  });
  for (let minute = 0; minute < 5; minute++) {
    await judgeFor(1);
    await replica.judge();
  }
  expect(await stateOf("DiskFull")).toMatchObject({ state: "quiet" });
  for (let minute = 0; minute < 4; minute++) {
    clock.advanceSeconds(60);
    await replica.judge();
  }
  expect(await stateOf("DiskFull")).toMatchObject({ state: "firing" });
  expect(told.filter((data) => data.includes("DiskFull"))).toHaveLength(1);
});

test("the outside service is called every five minutes, and only at a public address by https", async () => {
  let calls = 0;
  const server = createServer((_request, response) => {
    calls++;
    response.end("ok");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const heartbeat = createHeartbeat(`http://${host}/beat`, { ownHosts: [host] });
  for (let minute = 0; minute <= 10; minute++) await heartbeat.beat(minute * MINUTE_MS);
  expect(calls).toBe(3);
  for (const url of [`http://${host}/`, `https://${host}/`, "https://169.254.169.254/latest/meta-data"])
    await expect(createHeartbeat(url).beat(0)).rejects.toThrow();
  expect(calls).toBe(3);
  await createHeartbeat(undefined).beat(0);
  server.close();
});

test("staff see how each part is and what to do; visitors see no more than what is in trouble", async () => {
  const support = await service.person("support");
  const details = await support.client.alerts.health();
  const byId = new Map(details.checks.map((check) => [check.id, check]));
  expect(byId.get("database")).toMatchObject({ state: "well", advice: null, alerts: [] });
  expect(byId.get("vpn_servers")).toMatchObject({
    state: "failing",
    says: "A VPN server is not connected to the service.",
    advice: expect.stringContaining("securewave nodes list"),
    alerts: ["NodeOffline"],
  });
  expect(byId.get("certificate")).toMatchObject({ state: "unknown" });
  expect(details.status).toBe("degraded");
  expect(JSON.stringify(await service.client().service.health())).not.toContain("advice");
});
