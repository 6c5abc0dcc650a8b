import { randomBytes } from "node:crypto";
import { createManualClock } from "@securewave/foundation";
import { eventually } from "@securewave/testing";
import { openTestRedis, redisRequirements } from "@securewave/testing/redis";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { openSharedStore, type SharedStore } from "../redis/index.ts";
import { pluginOf } from "../step.ts";
import { createRateLimitStep, createRateLimits, type Policy } from "./index.ts";

const needs = redisRequirements();
const GLOBAL: Policy = { name: "global", limit: 100, windowSeconds: 60 };
const ORIGIN: Policy = { name: "origin", limit: 3, windowSeconds: 60 };
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe("the step that limits rates", () => {
  test("tells on every answer what remains, and refuses with 429 and the time to wait", async () => {
    const { app, refused } = await serve();
    const first = await ask(app, "a");
    expect(first.statusCode).toBe(200);
    expect(first.headers["ratelimit-policy"]).toBe('"origin";q=3;w=60');
    expect(first.headers.ratelimit).toMatch(/^"origin";r=2;t=\d+$/);
    await ask(app, "a");
    await ask(app, "a");
    const fourth = await ask(app, "a");
    expect(fourth.statusCode).toBe(429);
    expect(fourth.headers.ratelimit).toBe('"origin";r=0;t=66');
    expect(fourth.headers["retry-after"]).toBe("66");
    expect(refused).toEqual(["origin"]);
    expect((await ask(app, "b")).statusCode).toBe(200);
  });

  test("who is refused uses up nothing of what all share", async () => {
    const { app, refused } = await serve();
    for (let at = 0; at < 200; at++) await ask(app, "a");
    for (let at = 0; at < 97; at++) expect((await ask(app, `other ${at}`)).statusCode).toBe(200);
    const full = await ask(app, "another");
    expect(full.statusCode).toBe(429);
    expect(refused.at(-1)).toBe("global");
    expect(full.headers.ratelimit).toBe('"origin";r=3;t=0');
  });

  test("exempt routes and requests without a key are neither counted nor told of", async () => {
    const { app } = await serve();
    for (let at = 0; at < 200; at++) {
      const health = await app.inject({ url: "/health", headers: { "x-origin": "a" } });
      expect(health.statusCode).toBe(200);
      expect(health.headers).not.toHaveProperty("ratelimit");
    }
    expect((await ask(app, "a")).headers.ratelimit).toMatch(/r=2/);
  });

  test("a step behind another adds to its headers; a policy may depend on the request", async () => {
    const clock = createManualClock(0);
    const limits = createRateLimits({ clock });
    const app = Fastify();
    cleanups.push(() => app.close(), limits.close);
    const keyOf = () => "one";
    app.register(pluginOf("first", createRateLimitStep({ limits, policies: [{ policy: ORIGIN, keyOf }] })));
    const own = { keyOf, policy: () => ({ name: "api-key", limit: 7, windowSeconds: 10 }) };
    app.register(pluginOf("second", createRateLimitStep({ limits, policies: [own] })));
    app.get("/", () => "ok");
    const { headers } = await app.inject("/");
    expect(headers["ratelimit-policy"]).toBe('"origin";q=3;w=60, "api-key";q=7;w=10');
    expect(headers.ratelimit).toBe('"origin";r=2;t=66, "api-key";r=6;t=11');
  });

  test.skipIf(!needs.ok)(needs.title("two servers over Redis share what they let through"), async () => {
    const redis = await openTestRedis();
    cleanups.push(redis.close);
    const key = randomBytes(32);
    const clock = createManualClock(Date.parse("2026-11-20T10:00:00Z"));
    const servers = await Promise.all(
      [0, 1].map(async () => {
        const store = openSharedStore({ url: redis.url, clock, key });
        cleanups.push(store.close);
        await eventually(() => expect(store.state()).toBe("up"));
        return serve(store);
      }),
    );
    const statuses: number[] = [];
    for (let at = 0; at < 6; at++) {
      const app = servers[at % 2]?.app;
      if (app) statuses.push((await ask(app, "a")).statusCode);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429, 429]);
  });
});

async function serve(store?: SharedStore) {
  const clock = store?.clock ?? createManualClock(Date.parse("2026-11-20T10:00:00Z"));
  const limits = createRateLimits({ clock, ...(store ? { store } : {}) });
  const refused: string[] = [];
  const step = createRateLimitStep({
    limits,
    policies: [
      { policy: GLOBAL, keyOf: () => "all", isHidden: true },
      { policy: ORIGIN, keyOf: ({ headers }) => headers["x-origin"]?.toString() },
    ],
    exemptRoutes: ["/health"],
    onRefused: (policyName) => refused.push(policyName),
  });
  const app = Fastify();
  app.register(pluginOf("rate-limit", step));
  app.get("/", () => "ok");
  app.get("/health", () => "ok");
  await app.ready();
  cleanups.push(() => app.close(), limits.close);
  return { app, refused };
}

function ask(app: FastifyInstance, origin: string) {
  return app.inject({ url: "/", headers: { "x-origin": origin } });
}
