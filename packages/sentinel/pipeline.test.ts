import { createManualClock } from "@securewave/foundation";
import { fastify } from "fastify";
import { expect, test } from "vitest";
import { createBlocklist } from "./blocklist/index.ts";
import { createHosts } from "./hosts/index.ts";
import { createDayKeys, createOrigins } from "./origins/index.ts";
import { sentinel } from "./pipeline.ts";
import { createRateLimits } from "./rate-limit/index.ts";
import { createReputation } from "./reputation/index.ts";

const PANEL = "https://panel.example.org";
const GOOD = { host: "vpn.example.org", origin: PANEL };
const clock = createManualClock(Date.parse("2026-11-20T10:00:00Z"));

async function open() {
  const originOf = createOrigins(createDayKeys(clock));
  const reputation = createReputation();
  await reputation.replace("block", ["198.51.100.0/24"]);
  const blocklist = createBlocklist({ clock });
  const limits = createRateLimits({ clock });
  const policy = { name: "origin", limit: 2, windowSeconds: 60 };
  const app = fastify();
  app.register(
    sentinel({
      clock,
      originOf,
      headers: { isSecure: true },
      limits: { bodyBytesMax: 100, requestSeconds: 10, urlLengthMax: 100 },
      hosts: createHosts(["vpn.example.org"]),
      cors: { origins: [PANEL] },
      reputation,
      blocklist,
      rateLimit: { limits, policies: [{ policy, keyOf: ({ origin }) => origin.tag }] },
    }),
  );
  app.get("/", ({ origin }) => origin.tag);
  await app.ready();
  const ask = async (remoteAddress: string, change: object = {}) => {
    const { statusCode, headers, body } = await app.inject({
      url: "/",
      headers: GOOD,
      remoteAddress,
      ...change,
    });
    return { statusCode, headers, body };
  };
  const used = (address: string) => 2 - limits.look(policy, originOf(address).tag).remaining;
  const close = async () => {
    limits.close();
    blocklist.close();
    await app.close();
  };
  return { ask, used, blocklist, originOf, close };
}

test("a request that passes them all is served, knows its origin and carries what every step says", async () => {
  const { ask, originOf, close } = await open();
  const { statusCode, headers, body } = await ask("203.0.113.7");
  expect([statusCode, body]).toEqual([200, originOf("203.0.113.7").tag]);
  expect(headers).toMatchObject({
    "strict-transport-security": expect.any(String),
    "access-control-allow-origin": PANEL,
    ratelimit: expect.stringContaining("r=1"),
  });
  await close();
});

test("the first check that refuses speaks, its answer has the headers, and nothing is counted", async () => {
  const { ask, used, blocklist, originOf, close } = await open();
  const bad = "198.51.100.7";
  blocklist.add({ kind: "tag", value: originOf(bad).tag, seconds: 60 });
  const url = `/?${"x".repeat(200)}`;
  const evil = { ...GOOD, host: "evil.org" };
  const preflight = { ...GOOD, "access-control-request-method": "GET" };
  const answers = [
    [await ask(bad, { url, headers: evil }), 413],
    [await ask(bad, { headers: evil }), 421],
    [await ask(bad, { method: "OPTIONS", headers: preflight }), 204],
    [await ask(bad), 403],
  ] as const;
  for (const [{ statusCode, headers }, status] of answers) {
    expect(statusCode).toBe(status);
    expect(headers).toHaveProperty("content-security-policy");
    expect(headers).not.toHaveProperty("ratelimit");
  }
  expect(used(bad)).toBe(0);
  await close();
});

test("a page of another origin may read why it was refused", async () => {
  const { ask, blocklist, originOf, close } = await open();
  const { tag } = originOf("203.0.113.7");
  const block = blocklist.add({ kind: "tag", value: tag, seconds: 60 });
  const blocked = await ask("203.0.113.7");
  expect(blocked.headers).toMatchObject({ "access-control-allow-origin": PANEL, "retry-after": "60" });
  blocklist.lift(block?.id ?? "");
  for (const status of [200, 200, 429]) {
    const { statusCode, headers } = await ask("203.0.113.7");
    expect(statusCode).toBe(status);
    expect(headers["access-control-allow-origin"]).toBe(PANEL);
  }
  await close();
});
