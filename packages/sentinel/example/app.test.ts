import { fileURLToPath } from "node:url";
import { createManualClock } from "@securewave/foundation";
import { eventually, startProcess } from "@securewave/testing";
import { expect, test } from "vitest";
import { createApp } from "./app.ts";

const ADDRESS = "203.0.113.7";

test("the example serves, refuses who asks too much, and shuts out who goes on", async () => {
  const clock = createManualClock(Date.parse("2026-11-20T10:00:00Z"));
  const app = createApp(clock);
  const ask = (remoteAddress = ADDRESS) => app.inject({ url: "/", remoteAddress });
  for (let at = 0; at < 20; at++) {
    const { statusCode, headers } = await ask();
    expect(statusCode).toBe(200);
    expect(headers.ratelimit).toContain(`"origin";r=${19 - at};`);
    expect(headers["x-content-type-options"]).toBe("nosniff");
  }
  for (let at = 0; at < 51; at++) {
    const { statusCode, headers } = await ask();
    expect(statusCode).toBe(429);
    expect(Number(headers["retry-after"])).toBeGreaterThan(0);
  }
  const { statusCode, headers } = await ask();
  expect([statusCode, headers["retry-after"]]).toEqual([403, "900"]);
  expect((await ask("203.0.113.8")).statusCode).toBe(200);
  clock.advanceSeconds(900);
  expect((await ask()).statusCode).toBe(200);
  await app.close();
});

test("the example refuses another host, a longer URL, and answers a preflight", async () => {
  const app = createApp();
  const statusOf = async (options: object) => (await app.inject({ url: "/", ...options })).statusCode;
  expect(await statusOf({ headers: { host: "evil.example" } })).toBe(421);
  expect(await statusOf({ url: `/?${"x".repeat(9000)}` })).toBe(413);
  const preflight = { origin: "https://panel.example.org", "access-control-request-method": "GET" };
  expect(await statusOf({ method: "OPTIONS", headers: preflight })).toBe(204);
  await app.close();
});

test("the example can be run", async () => {
  await using _server = await startProcess({
    command: process.execPath,
    args: [fileURLToPath(new URL("./app.ts", import.meta.url))],
  });
  const answer = await eventually(() => fetch("http://127.0.0.1:8080/"), { timeoutMs: 20_000 });
  expect(await answer.json()).toEqual({ hello: "world" });
});
