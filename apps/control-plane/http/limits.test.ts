import { NODE_SOCKET_PATH } from "@securewave/contracts/node-protocol";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { statusOfUpgrade } from "../testing/upgrade.ts";
import { openTestApp } from "../testing.ts";

const LIMIT = 10;
/** Behind a proxy, so that one machine can speak for many addresses. */
const service = await openTestApp({
  settings: {
    TRUSTED_PROXIES: "127.0.0.1",
    API_TRUSTED_HOSTS: "127.0.0.1",
    RATE_LIMIT_IP: String(LIMIT),
    AUTO_BLOCK_THRESHOLD: "1000",
  },
});
afterAll(() => service.close());

let addresses = 0;
let from: Record<string, string> = {};
beforeEach(() => {
  from = { "x-forwarded-for": `203.0.113.${++addresses}` };
});

const ask = async (path: string, token?: string) =>
  (await service.send(path, { headers: from, ...(token === undefined ? {} : { token }) })).status;

/** How many of so many requests are let through. */
async function admitted(requests: number, path: string, token?: string): Promise<number> {
  const statuses = [];
  for (let request = 0; request < requests; request++) statuses.push(await ask(path, token));
  return statuses.filter((status) => status !== 429).length;
}

describe("of one address", () => {
  test("visitors share its limit", async () => {
    expect(await admitted(LIMIT + 5, "/api/service")).toBe(LIMIT);
  });

  test("whoever is logged in goes on where visitors have used it up, also on pages that anyone may read", async () => {
    const { token } = await service.person();
    expect(await admitted(LIMIT + 1, "/api/service")).toBe(LIMIT);
    expect(await admitted(LIMIT, "/api/service", token)).toBe(LIMIT);
    expect(await admitted(LIMIT, "/api/account", token)).toBe(LIMIT);
    expect(await ask("/api/service")).toBe(429);
  });

  test("false credentials are looked at until they are too many; who is logged in must wait then, too", async () => {
    const { token } = await service.person();
    const tried = await admitted(LIMIT + 5, "/api/account", "swk_made_up");
    expect(tried).toBe(LIMIT);
    expect(await ask("/api/account", token)).toBe(429);
    service.clock.advanceSeconds(70);
    expect(await ask("/api/account", token)).toBe(200);
  });

  test("sockets of nodes count like visitors' requests", async () => {
    const statuses = [];
    for (let socket = 0; socket < LIMIT + 2; socket++)
      statuses.push(await statusOfUpgrade(service.baseUrl + NODE_SOCKET_PATH, from));
    expect(statuses).toEqual([...Array.from({ length: LIMIT }, () => 101), 429, 429]);
  });

  test("a blocked one opens no socket", async () => {
    const admin = await service.admin();
    const network = `${from["x-forwarded-for"]}/32`;
    const { id } = await admin.client.blocks.add({ body: { network, minutes: 5 } });
    expect(await statusOfUpgrade(service.baseUrl + NODE_SOCKET_PATH, from)).toBe(403);
    await admin.client.blocks.lift({ params: { id } });
    expect(await statusOfUpgrade(service.baseUrl + NODE_SOCKET_PATH, from)).toBe(101);
  });
});

test("a request that only looks like a socket's gets an answer, not a socket", async () => {
  expect(await ask(NODE_SOCKET_PATH)).toBe(404);
});

test("a body of more than 64 KiB is refused whoever sends it, before it is read", async () => {
  const answer = await service.send("/api/auth/login", {
    body: { email: "a@example.org", password: "x".repeat(70_000) },
    headers: from,
  });
  expect(answer).toMatchObject({ status: 413, json: { code: "request.too_large" } });
});
