import { fastify } from "fastify";
import { afterAll, describe, expect, test } from "vitest";
import { pluginOf } from "../step.ts";
import { sendRaw } from "../testing.ts";
import { createHostStep, createHosts } from "./index.ts";

const NAMES = ["vpn.example.org", "*.example.com", "192.0.2.1", "2001:db8:0::1"];

describe("trusted names", () => {
  const hosts = createHosts(NAMES);
  test.each([
    "vpn.example.org",
    "VPN.Example.ORG",
    "vpn.example.org:8443",
    "vpn.example.org.",
    "a.example.com",
    "a.b.example.com:80",
    "192.0.2.1:8000",
    "[2001:db8::1]",
    "[2001:db8::1]:8000",
  ])("%s is one, whatever its port", (host) => {
    expect(hosts.isTrusted(host)).toBe(true);
  });

  test.each([
    undefined,
    "",
    "example.com",
    ".example.com",
    "evilexample.com",
    "vpn.example.org.evil.example",
    "evil.example",
    "evil.example:vpn.example.org",
    "vpn.example.org@evil.example",
    "vpn.example.org/evil",
    "vpn.example.org, evil.example",
    "vpn.example.org\t",
    "vpn.example.org:80:80",
    "2001:db8::1",
    "[::1]",
    `${"a".repeat(300)}.example.com`,
  ])("%s is none", (host) => {
    expect(hosts.isTrusted(host)).toBe(false);
  });

  test("with a star, everything is one that can be a name, also none at all", () => {
    const any = createHosts(["*"]);
    expect(any.isTrusted("whatever.example:8000")).toBe(true);
    expect(any.isTrusted(undefined)).toBe(true);
    expect(any.isTrusted("a/b")).toBe(false);
  });

  test.each(["", "https://vpn.example.org", "a b", "a.*.org", "*", "*.*.org"].filter((name) => name !== "*"))(
    "%s, which can be no name, is refused at the start",
    (name) => {
      expect(() => createHosts([name])).toThrow(TypeError);
    },
  );
});

describe("WebSocket cross-site hijack", () => {
  test("pages of trusted names may open a socket, others not", () => {
    const hosts = createHosts(NAMES);
    for (const origin of ["https://vpn.example.org", "http://a.example.com:3000", "https://[2001:db8::1]"])
      expect(hosts.isTrustedOrigin(origin), origin).toBe(true);
    for (const origin of [
      "https://evil.example",
      "https://vpn.example.org.evil.example",
      "https://vpn.example.org@evil.example",
      "https://vpn.example.org/path",
      "ftp://vpn.example.org",
      "null",
      "",
    ])
      expect(hosts.isTrustedOrigin(origin, "vpn.example.org"), origin).toBe(false);
  });

  test("where every name is trusted, a page may open a socket to its own only", () => {
    const any = createHosts(["*"]);
    expect(any.isTrustedOrigin("https://vpn.example.org", "vpn.example.org:8443")).toBe(true);
    expect(any.isTrustedOrigin("https://evil.example", "vpn.example.org")).toBe(false);
    expect(any.isTrustedOrigin("https://evil.example")).toBe(false);
  });
});

describe("host-header injection", () => {
  const trusting = fastify({ trustProxy: ["127.0.0.1"] });
  const plain = fastify();
  for (const app of [trusting, plain]) {
    app.register(pluginOf("hosts", createHostStep(createHosts(NAMES))));
    app.get("/", async (request) => request.host);
  }
  afterAll(() => Promise.all([trusting.close(), plain.close()]));
  const GOOD = ["Host", "vpn.example.org"];

  test("a request under a trusted name is served", async () => {
    expect(await sendRaw(plain, { headers: GOOD })).toMatchObject({ status: 200, body: "vpn.example.org" });
    expect(await sendRaw(plain, { headers: GOOD, target: "http://vpn.example.org/" })).toMatchObject({
      status: 200,
    });
  });

  test.each<[string, string[], string?]>([
    ["another name", ["Host", "evil.example"]],
    ["a trusted name behind another", ["Host", "evil.example", "Host", "vpn.example.org"]],
    ["a trusted name before another", ["Host", "vpn.example.org", "Host", "evil.example"]],
    ["another name in the target", GOOD, "http://evil.example/"],
    ["a trusted name as the log-in of the target", GOOD, "http://vpn.example.org@evil.example/"],
    ["a target that is no URL", GOOD, "vpn.example.org"],
  ])("%s is refused", async (_, headers, target = "/") => {
    const answer = await sendRaw(plain, { headers, target });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body).not.toContain("evil");
    if (answer.status !== 400)
      expect(JSON.parse(answer.body)).toMatchObject({ code: "sentinel.unknown_host" });
  });

  test("X-Forwarded-Host counts from a trusted proxy only, and must be trusted too", async () => {
    const forwarded = (name: string) => [...GOOD, "X-Forwarded-Host", name];
    expect(await sendRaw(plain, { headers: forwarded("evil.example") })).toMatchObject({
      body: "vpn.example.org",
    });
    expect(await sendRaw(trusting, { headers: forwarded("a.example.com") })).toMatchObject({
      body: "a.example.com",
    });
    expect((await sendRaw(trusting, { headers: forwarded("evil.example") })).status).toBe(421);
    expect((await sendRaw(trusting, { headers: forwarded("a.example.com, evil.example") })).status).toBe(421);
  });
});
