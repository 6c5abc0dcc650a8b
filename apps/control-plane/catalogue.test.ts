import { readdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-node";
import { floorOf } from "@securewave/live";
import {
  catalogue,
  describeFinding,
  type Finding,
  files,
  findInFiles,
  findInLogLines,
  findInMetrics,
  findInQueue,
  findInRedisCommands,
  findInRedisKeys,
  findInSpans,
  readSamples,
} from "@securewave/privacy";
import { eventually } from "@securewave/testing/eventually";
import { openTestRedis, redisRequirements } from "@securewave/testing/redis";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lifetimesIn, openMonitor } from "./testing/redis-monitor.ts";
import { connectNode, openTestApp, PASSWORD } from "./testing.ts";
import { createAllowedSpans } from "./tracing/allowed-span.ts";

const needs = redisRequirements();
const redis = needs.ok ? await openTestRedis() : undefined;
const service = await openTestApp({ jobs: true, settings: redis ? { REDIS_URL: redis.url } : {} });
const monitor = redis && openMonitor(redis.port);
const notices: string[] = [];
const listener = await service.database.pool.connect();

beforeAll(async () => {
  listener.on("notification", ({ payload = "" }) => notices.push(payload));
  await listener.query("listen securewave");
  await runService();
});
afterAll(async () => {
  monitor?.close();
  listener.release(true);
  await service.close();
  await redis?.close();
});

/** What people, staff and nodes do in a day, good and bad. */
async function runService(): Promise<void> {
  const node = await connectNode(service);
  const admin = await service.admin();
  const customer = await service.person();
  const { publicKey } = generateKeyPair();
  await customer.client.devices.create({ body: { name: "Phone", public_key: publicKey } });
  await node.holds(publicKey);
  await service.client().accounts.register({ body: { email: "new@example.org", password: PASSWORD } });
  await service.latestMail("new@example.org");
  await service.send("/api/auth/login", { body: { email: customer.email, password: "wrong" } });
  for (const path of ["/api/health", "/api/vpn/devices", "/none/203.0.113.7", "/api/docs/"]) {
    for (const method of ["GET", "POST", "DELETE"])
      await service.send(path, { method, token: customer.token });
  }
  await admin.client.accounts.change({ params: { id: customer.id }, body: { state: "suspended" } });
  await node.disconnect();
}

function expectNone(findings: readonly Finding[]): void {
  expect(findings.map(describeFinding)).toEqual([]);
}
const shortly = (findings: readonly Finding[]) => findings.map(({ rule, place }) => `${place}: ${rule}`);

describe("metrics", () => {
  const isFloor = (value: number) => floorOf(value) === value;
  const find = (exposition: string) => findInMetrics(readSamples(exposition), catalogue, isFloor);

  test("tell nothing that the catalogue does not list, and count people in ranges", async () => {
    const server = await service.app.telemetry.listen("127.0.0.1", 0);
    const { port } = server.address() as AddressInfo;
    const exposition = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    server.close();
    expect(exposition).toContain("sentinel_requests_total{");
    expectNone(find(exposition));
  });

  test.each([
    ["another gauge", "securewave_devices_connected 1", "securewave_devices_connected: listed: metric"],
    [
      "one person's gauge",
      "# TYPE securewave_connections_floor gauge\nsecurewave_connections_floor 1",
      "securewave_connections_floor: ranges",
    ],
    ["open sockets", "nodejs_active_handles 3", "nodejs_active_handles: listed: metric"],
    [
      "a device's label",
      'sentinel_requests_total{device="dev_1"} 1',
      "sentinel_requests_total{device}: listed: metric",
    ],
    [
      "a URL",
      'sentinel_requests_total{endpoint="/api/x?a=203.0.113.7"} 1',
      "sentinel_requests_total{endpoint}: closed lists",
    ],
    [
      "a made-up method",
      'sentinel_requests_total{method="203.0.113.7"} 1',
      "sentinel_requests_total{method}: closed lists",
    ],
    [
      "another way in",
      'sentinel_auth_attempts_total{method="mail",result="success"} 1',
      "sentinel_auth_attempts_total{method}: closed lists",
    ],
    [
      "a bucket's label",
      'sentinel_request_duration_seconds_bucket{le="1",account="acc_1"} 1',
      "sentinel_request_duration_seconds{account}: listed: metric",
    ],
  ])("%s would be found", (_what, exposition, finding) => {
    expect(shortly(find(`# TYPE sentinel_request_duration_seconds histogram\n${exposition}\n`))).toEqual([
      finding,
    ]);
  });
});

describe("log lines", () => {
  test("have no event and no field that the catalogue does not list", () => {
    expect(service.logLines.length).toBeGreaterThan(10);
    expectNone(findInLogLines("control-plane", service.logLines, catalogue));
  });

  test.each([
    ["an event", { level: 30, time: "", event: "peer_connected" }, "peer_connected: listed: log event"],
    ["a field", { level: 30, time: "", event: "request", address: "x" }, "address: listed: log"],
  ])("%s more would be found", (_what, line, finding) => {
    expect(shortly(findInLogLines("control-plane", [JSON.stringify(line)], catalogue))).toEqual([finding]);
  });
});

describe("jobs", () => {
  test("in the queue are listed, with all that they hold", async () => {
    const { rows } = await service.database.pool.query("select name, data, output from jobs.job");
    expect(rows.length).toBeGreaterThan(0);
    expectNone(findInQueue(rows, catalogue));
  });

  test.each([
    ["a job for who connects", { name: "connected", data: {}, output: null }, "connected: listed: job"],
    [
      "an address",
      { name: "account-mail", data: { accountId: "a", address: "b" }, output: null },
      "account-mail.address: listed: job",
    ],
    [
      "an error's text",
      { name: "account-mail", data: {}, output: { message: "550 somebody@example.org" } },
      "account-mail output: listed: job",
    ],
  ])("%s would be found", (_what, row, finding) => {
    expect(shortly(findInQueue([row], catalogue))).toEqual([finding]);
  });
});

test("what processes tell each other over the database is a listed topic and an id, a hash or a word", () => {
  expect(notices.length).toBeGreaterThan(0);
  for (const notice of notices) {
    const [, topic = "", payload = ""] = notice.split(" ");
    expect(catalogue.find("bus", topic), topic).toBeDefined();
    expect(payload).toMatch(/^([a-z]{2,6}_[0-9a-z]{20}(\/[\w-]{16})?|[0-9a-f]{64}|[a-z]*)$/);
  }
});

describe("files", () => {
  test("below the data folder are listed", async () => {
    const found = await readdir(service.config.store.dir, { recursive: true, withFileTypes: true });
    const dir = `${service.config.store.dir}/`;
    const paths = found
      .filter((file) => !file.isDirectory())
      .map((file) => `${file.parentPath}/${file.name}`.replace(dir, ""));
    expect(paths.length).toBeGreaterThan(0);
    expectNone(findInFiles("data folder", paths, files));
  });

  test.each(["sessions.log", "secrets/old-key", "outbox/somebody@example.org.eml", "node/endpoints.json"])(
    "%s would be found",
    (path) => {
      expect(shortly(findInFiles("data folder", [path], files))).toEqual([`${path}: listed: file`]);
    },
  );
});

test("mails have the headers that a mail must have, and none that tells of the machine or the customer", async () => {
  const mails = await service.mails();
  expect(mails.length).toBeGreaterThan(0);
  const heads = mails.map(({ raw }) => raw.slice(0, raw.search(/\r?\n\r?\n/)));
  const names = new Set(
    heads.flatMap((head) => [...head.matchAll(/^([\w-]+):/gm)].map(([, name = ""]) => name.toLowerCase())),
  );
  const allowed = [
    "from",
    "to",
    "subject",
    "message-id",
    "date",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
  ];
  expect([...names].filter((name) => !allowed.includes(name))).toEqual([]);
});

describe("spans", () => {
  const leaving = createAllowedSpans({ routes: new Set(["/api/vpn/devices"]), serviceVersion: "1" });
  const given: Record<string, string | number> = {
    "http.request.method": "GET",
    "http.route": "/api/vpn/devices",
    "http.response.status_code": 500,
    "error.type": "_OTHER",
    "db.operation.name": "select",
    "db.collection.name": "devices",
    "client.address": "203.0.113.7",
    "url.full": "https://x/?a=203.0.113.7",
    "user.id": "acc_1",
  };
  const span = {
    attributes: given,
    spanContext: () => ({ traceId: "1", spanId: "2", traceFlags: 1 }),
  } as unknown as ReadableSpan;
  const factsOf = (attributes: Record<string, unknown>) =>
    new Map(Object.entries(attributes).map(([name, value]) => [name, String(value)]));

  test("leave with listed attributes only", () => {
    const { attributes, resource } = leaving(span);
    expect(Object.keys(attributes)).toHaveLength(6);
    expectNone(findInSpans([factsOf(attributes), factsOf(resource.attributes)], catalogue));
  });

  test("with others would be found", () => {
    expect(shortly(findInSpans([factsOf(given)], catalogue))).toEqual([
      "span.client.address: listed: trace",
      "span.url.full: listed: trace",
      "span.user.id: listed: trace",
    ]);
    const odd = factsOf({ "http.request.method": "203.0.113.7" });
    expect(shortly(findInSpans([odd], catalogue))).toEqual(["span.http.request.method: closed lists"]);
  });
});

describe.skipIf(!needs.ok)(needs.title("Redis"), () => {
  test("is asked for listed kinds of names only, under keyed hashes, and each ends in its time", async () => {
    await eventually(() => expect(monitor?.commands().length).toBeGreaterThan(5));
    const commands = monitor?.commands() ?? [];
    expect(JSON.stringify(commands)).toContain("securewave:rate:");
    expectNone(findInRedisCommands(commands, catalogue));
    const keys = await lifetimesIn(redis?.port ?? 0);
    expectNone(findInRedisKeys(keys, catalogue));
  });

  const hashed = "A".repeat(22);
  test.each([
    ["a plain name", "set", "account:acc_1", "a:a_0: listed: redis"],
    ["an address", "incr", "securewave:rate:203.0.113.7", "a:a:0.0.0.0: listed: redis"],
    ["another kind", "hset", `securewave:sessions:${hashed}`, "sessions: listed: redis"],
    ["saving", "bgsave", "", "bgsave: listed: redis"],
    ["an unknown command", "georadius", "x", "georadius: listed: redis"],
    ["a set of channels", "subscribe", "devices", "a: listed: redis"],
  ])("%s would be found", (_what, name, arg, finding) => {
    expect(shortly(findInRedisCommands([{ name, args: [arg] }], catalogue))).toEqual([finding]);
  });

  test.each([
    ["for ever", -1],
    ["for a month", 30 * 86_400_000],
  ])("a name that lives %s would be found", (_what, lifeMs) => {
    const findings = findInRedisKeys([{ name: `securewave:rate:${hashed}`, lifeMs }], catalogue);
    expect(shortly(findings)).toEqual(["rate: lifetimes"]);
  });
});
