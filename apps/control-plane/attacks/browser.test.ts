import { request as httpRequest } from "node:http";
import { NODE_SOCKET_PATH } from "@securewave/contracts/node-protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestApp, PASSWORD, type RawAnswer } from "../testing.ts";

const service = await openTestApp({ settings: { API_TRUSTED_HOSTS: "127.0.0.1,vpn.example.org" } });
afterAll(() => service.close());

/** `fetch` sets the host and the origin by itself; this sends what it is told. */
function sendAs(path: string, headers: Record<string, string>, method = "GET"): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(service.baseUrl + path, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const head = new Headers(
          Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
        );
        const json = text.startsWith("{") ? JSON.parse(text) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: head, text, json });
      });
    });
    sent.on("error", reject).end();
  });
}

describe("CSRF from another origin", () => {
  let cookie = "";
  let csrf = "";
  beforeAll(async () => {
    const { email } = await service.person();
    const answer = await service.send("/api/session", { body: { email, password: PASSWORD } });
    cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
    csrf = answer.json.csrf_token;
  });
  const change = (headers: Record<string, string>) =>
    service.send("/api/auth/logout", { method: "POST", headers: { cookie, ...headers } });

  test.each([
    ["without a token", {}],
    ["with a made-up token", { "x-csrf-token": "made-up" }],
    ["with an empty token", { "x-csrf-token": "" }],
  ])("a change %s is refused", async (_, headers) => {
    expect(await change(headers)).toMatchObject({ status: 403, json: { code: "sentinel.forged_request" } });
  });

  test.each([
    ["another site", { origin: "https://evil.example" }],
    ["a sandboxed page", { origin: "null" }],
    ["a look-alike", { origin: "http://127.0.0.1.evil.example" }],
    ["a page of another site, by its fetch metadata", { "sec-fetch-site": "cross-site" }],
  ])("a change from %s is refused, even with the right token", async (_, headers) => {
    const answer = await change({ "x-csrf-token": csrf, ...headers });
    expect(answer).toMatchObject({ status: 403, json: { code: "sentinel.forged_request" } });
  });

  test("the token of one session is worth nothing with the cookie of another", async () => {
    const { email } = await service.person();
    const other = await service.send("/api/session", { body: { email, password: PASSWORD } });
    const answer = await change({ "x-csrf-token": other.json.csrf_token });
    expect(answer.json.code).toBe("sentinel.forged_request");
  });

  test("log-in CSRF: another site cannot log a browser into its own account", async () => {
    const { email } = await service.person();
    const answer = await service.send("/api/session", {
      body: { email, password: PASSWORD },
      headers: { origin: "https://evil.example" },
    });
    expect(answer).toMatchObject({ status: 403, json: { code: "sentinel.forged_request" } });
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  test("a form of another site, which can send no JSON, is refused", async () => {
    const answer = await service.send("/api/session", {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: '{"email":"a@example.org","password":"x"}',
    });
    expect(answer.status).toBe(415);
  });

  test("with the token of its own page, the same change is made", async () => {
    expect((await change({ "x-csrf-token": csrf })).status).toBe(204);
  });
});

describe("host-header injection", () => {
  test.each([
    "evil.example",
    "vpn.example.org.evil.example",
    "evil.example:80",
    "vpn.example.org@evil.example",
    "127.0.0.1, evil.example",
  ])("a request for %s is refused", async (host) => {
    const answer = await sendAs("/api/service", { host });
    expect([400, 421]).toContain(answer.status);
    expect(answer.text).not.toContain("evil");
  });

  test("the service's own names are answered, with and without a port", async () => {
    for (const host of ["vpn.example.org", "VPN.example.org:8443", "127.0.0.1"])
      expect((await sendAs("/api/service", { host })).status, host).toBe(200);
  });

  test("no header of a request reaches the link in a mail", async () => {
    const started = await openTestApp({ jobs: true, settings: { TRUSTED_PROXIES: "127.0.0.1" } });
    const email = "new.person@example.org";
    const headers = { "x-forwarded-host": "evil.example", forwarded: "host=evil.example" };
    await started.send("/api/auth/register", { body: { email, password: PASSWORD }, headers });
    const { links } = await started.latestMail(email);
    expect(links[0]).toMatch(/^http:\/\/localhost:/);
    await started.close();
  });
});

describe("cross-origin reading", () => {
  test.each(["https://evil.example", "null", "http://127.0.0.1.evil.example"])(
    "%s gets no leave to read an answer",
    async (origin) => {
      const answer = await sendAs("/api/service", { origin });
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      const preflight = await sendAs(
        "/api/vpn/devices",
        { origin, "access-control-request-method": "POST" },
        "OPTIONS",
      );
      expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
      expect(preflight.headers.get("access-control-allow-credentials")).toBeNull();
    },
  );
});

describe("WebSocket cross-site hijack: a page cannot open the nodes' socket", () => {
  const port = new URL(service.baseUrl).port;

  function isOpened(headers: Record<string, string>, path = NODE_SOCKET_PATH): Promise<boolean> {
    const upgrade = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-version": "13",
      ...headers,
    };
    return new Promise((resolve) => {
      const sent = httpRequest(service.baseUrl + path, { headers: upgrade });
      sent.on("upgrade", (_response, socket) => {
        socket.destroy();
        resolve(true);
      });
      sent.on("response", (response) => {
        response.resume();
        resolve(false);
      });
      sent.on("error", () => resolve(false));
      sent.end();
    });
  }

  test.each([
    ["another site", "https://evil.example"],
    ["a sandboxed page or a file", "null"],
    ["no name at all", ""],
    ["a subdomain", "https://evil.vpn.example.org"],
    ["the domain above", "https://example.org"],
    ["a look-alike that begins the same", "https://vpn.example.org.evil.example"],
    ["a look-alike that ends the same", "https://evilvpn.example.org"],
    ["the service's name with another port", "https://vpn.example.org:8443"],
    ["the service's name by http", "http://vpn.example.org"],
    ["the service's name by https", "https://vpn.example.org"],
    ["this machine with another port", "http://127.0.0.1:1"],
    ["this machine by another name", `http://localhost:${port}`],
    ["this machine by https", `https://127.0.0.1:${port}`],
    ["the console itself, which has no use for it", `http://127.0.0.1:${port}`],
    ["an extension", "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
    ["a file", "file://"],
    ["several origins", "https://vpn.example.org https://evil.example"],
    ["a name in capitals", "HTTPS://VPN.EXAMPLE.ORG"],
    ["a log-in in the address", "https://vpn.example.org@evil.example"],
  ])("from %s", async (_, origin) => {
    expect(await isOpened({ origin })).toBe(false);
    expect(await isOpened({ origin, host: "vpn.example.org" })).toBe(false);
  });

  test("not by a host that is not the service's either, as DNS rebinding has it", async () => {
    expect(await isOpened({ host: "evil.example" })).toBe(false);
    expect(await isOpened({ host: `evil.example:${port}` })).toBe(false);
  });

  test("nor at any other path, with or without a log-in", async () => {
    const { token } = await service.person();
    const headers: Record<string, string>[] = [{}, { authorization: `Bearer ${token}` }];
    for (const path of ["/", "/api/vpn/connections", "/api/account", `${NODE_SOCKET_PATH}/x`])
      for (const each of headers) expect(await isOpened(each, path), path).toBe(false);
  });

  test("a program, which says no origin, opens it by the same request", async () => {
    expect(await isOpened({})).toBe(true);
    expect(await isOpened({ host: "vpn.example.org" })).toBe(true);
  });
});

describe("open redirect", () => {
  test.each([
    "//evil.example",
    "/\\evil.example",
    "/%2f%2fevil.example",
    "/login?next=https://evil.example",
    "/.//evil.example",
  ])("%s leads nowhere else", async (path) => {
    const { status, headers } = await sendAs(path, {});
    expect([301, 302, 303, 307, 308]).not.toContain(status);
    expect(headers.get("location")).toBeNull();
  });
});
