import { createSocket } from "node:dgram";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { listSettings } from "@securewave/foundation/settings";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { settings } from "../config.ts";
import { openTestApp, type Person } from "../testing.ts";
import {
  type Example,
  exampleFor,
  PARTS,
  propertiesOf,
  ROUTES,
  type Schema,
  textPlaces,
  urlOf,
  withValue,
} from "./examples.ts";

const LONG_MS = 180_000;

/** Every setting that says where something is, and what keeps others from leading the service elsewhere by it. */
const PLACES: Readonly<Record<string, string>> = {
  PRIVACY_POLICY_URL: "is shown to customers",
  PUBLIC_URL: "stands in mails and is compared with; nothing is asked there",
  API_CORS_ORIGINS: "is compared with; nothing is asked there",
  API_TRUSTED_HOSTS: "is compared with; nothing is asked there",
  API_HOST: "is listened on",
  METRICS_HOST: "is listened on",
  LOCAL_NODE_HOST: "is shown to customers",
  REPUTATION_BLOCK_LISTS:
    "https, and public addresses alone, also where it leads on to (packages/sentinel/reputation)",
  REPUTATION_ALLOW_LISTS:
    "https, and public addresses alone, also where it leads on to (packages/sentinel/reputation)",
  DATABASE_URL: "the operator's own database",
  DATABASE_API_URL: "the operator's own database",
  DATABASE_WORKER_URL: "the operator's own database",
  DATABASE_INGRESS_URL: "the operator's own database",
  BACKUP_DATABASE_URL: "the operator's own database",
  BACKUP_TARGET: "the operator's own storage",
  ALERT_HEARTBEAT_URL: "https, and public addresses alone, read as the reputation lists are",
  REDIS_URL: "the operator's own store",
  SMTP_URL: "the operator's own mail server",
  VAULT_ADDR: "the operator's own Vault; https, or this machine",
  OTEL_EXPORTER_OTLP_ENDPOINT: "the operator's own collector",
};

test("every setting that says where something is has been thought of, and none can be changed over the API", () => {
  const places = listSettings(settings)
    .filter(
      ({ variable, range }) => /URL|host|origin/i.test(range) || /URL|ADDR$|HOST|ENDPOINT/.test(variable),
    )
    .map(({ variable }) => variable);
  expect(places.sort()).toEqual(Object.keys(PLACES).sort());
  const change = ROUTES.find(({ name }) => name === "service.changeSettings")?.route.body;
  expect(
    propertiesOf(change)
      .map(([name]) => name)
      .sort(),
  ).toEqual(["devices_per_account_max", "registration", "service_name"]);
});

describe("SSRF: nothing that a request holds makes the service ask anybody", () => {
  /** Hears whoever comes to this port of this machine, by TCP or UDP, and whom this process asks by HTTP. */
  const heard: string[] = [];
  const tcp = createServer((socket) => {
    heard.push("tcp");
    socket.destroy();
  });
  const udp = createSocket("udp4", () => heard.push("udp"));
  const onRequest = (message: unknown) => {
    const { request } = message as { request: { host?: string; origin?: unknown } };
    heard.push(`asked ${request.host ?? request.origin}`);
  };
  const CHANNELS = ["http.client.request.start", "undici:request:create"];
  let port = 0;
  let admin: Person;
  let service: Awaited<ReturnType<typeof openTestApp>>;

  beforeAll(async () => {
    service = await openTestApp({ jobs: true, settings: { TRUSTED_PROXIES: "127.0.0.1" } });
    admin = await service.admin();
    await once(tcp.listen(0, "127.0.0.1"), "listening");
    port = (tcp.address() as AddressInfo).port;
    await new Promise<void>((resolve) => udp.bind(port, "127.0.0.1", resolve));
    for (const channel of CHANNELS) subscribe(channel, onRequest);
  });
  afterAll(async () => {
    for (const channel of CHANNELS) unsubscribe(channel, onRequest);
    await service.close();
    tcp.close();
    udp.close();
  });
  beforeEach(() => {
    heard.length = 0;
  });

  let asked = 0;
  /** Without a connection of its own: whatever is heard of was made by the service. */
  async function inject(method: string, url: string, body: unknown, headers: Record<string, string> = {}) {
    asked++;
    const answer = await service.app.server.inject({
      method: method as "GET",
      url,
      headers: {
        authorization: `Bearer ${admin.token}`,
        "x-forwarded-for": `203.0.${asked >> 8}.${asked & 255}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    expect(answer.statusCode, `${method} ${url}`).toBeLessThan(500);
    return answer;
  }

  /** Left out: what ends the admin's own log-in, and streams, which do not end. */
  const routes = ROUTES.filter(
    ({ name, route }) =>
      !/logOut|session\.close|passwords\.change/.test(name) &&
      route.success.contentType !== "text/event-stream",
  );

  test.each<[string, () => string]>([
    ["a URL", () => `http://127.0.0.1:${port}/`],
    ["a URL without a scheme", () => `//127.0.0.1:${port}/`],
    ["a host and port", () => `127.0.0.1:${port}`],
    ["a host that a mail may go to", () => `somebody@127.0.0.1.example.org`],
    ["a name", () => "localhost"],
    ["an address", () => "127.0.0.1"],
    ["the address of a cloud's metadata", () => "http://169.254.169.254/latest/meta-data/"],
    ["a file", () => "file:///etc/passwd"],
    ["another scheme", () => `gopher://127.0.0.1:${port}/_x`],
  ])(
    "%s in every string field",
    async (_, textOf) => {
      let count = 0;
      for (const { route } of routes) {
        for (const part of PARTS) {
          for (const place of textPlaces(route[part] as Schema | undefined)) {
            const fitting = exampleFor(route);
            const example: Example = { ...fitting, [part]: withValue(fitting[part], place, textOf()) };
            await inject(route.method, urlOf(route, example), example.body);
            count++;
          }
        }
      }
      expect(count).toBeGreaterThan(75);
      expect(heard).toEqual([]);
    },
    LONG_MS,
  );

  test("in every header that some server or other follows", async () => {
    const url = `http://127.0.0.1:${port}/`;
    const NAMES = [
      "host",
      "origin",
      "referer",
      "forwarded",
      "x-forwarded-host",
      "x-forwarded-server",
      "x-original-url",
      "x-rewrite-url",
      "x-host",
      "x-callback-url",
      "x-wap-profile",
      "profile",
      "destination",
      "link",
      "from",
      "contact",
      "client-ip",
      "true-client-ip",
      "x-http-host-override",
      "proxy",
      "proxy-host",
      "user-agent",
      "traceparent",
      "tracestate",
      "baggage",
      "b3",
      "sourcemap",
      "callback",
      "x-api-version",
      "cookie",
    ];
    for (const name of NAMES) {
      for (const path of ["/api/service", "/api/account", "/", "/api/docs/"])
        await inject("GET", path, undefined, { [name]: url });
      await inject("POST", "/api/auth/password/reset-request", { email: admin.email }, { [name]: url });
    }
    await inject("GET", `${url}api/service`, undefined);
    expect(heard).toEqual([]);
  });

  test("a node's endpoint is told to customers and not tried", async () => {
    const { join } = (await inject("POST", "/api/admin/nodes", { name: "Inside", region: "Nowhere" })).json();
    const body = {
      token: join.join_token,
      credential: Buffer.alloc(32, 9).toString("base64url"),
      wireguard_public_key: Buffer.alloc(32, 9).toString("base64"),
      endpoint: { host: "127.0.0.1", port },
      agent_version: "1",
    };
    expect((await inject("POST", "/api/nodes/join", body)).statusCode).toBe(201);
    await inject("GET", "/api/vpn/servers", undefined);
    expect(heard).toEqual([]);
  });

  test("whoever does ask is heard", async () => {
    await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    const sender = createSocket("udp4");
    await new Promise((resolve) => sender.send("x", port, "127.0.0.1", resolve));
    sender.close();
    await expect.poll(() => [...heard].sort()).toEqual([`asked http://127.0.0.1:${port}`, "tcp", "udp"]);
  });
});
