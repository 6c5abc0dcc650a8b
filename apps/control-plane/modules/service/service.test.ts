import { eventually } from "@securewave/testing/eventually";
import { afterAll, describe, expect, test } from "vitest";
import { type DatabaseProxy, openDatabaseProxy } from "../../testing/database-proxy.ts";
import { connectNode, openTestApp } from "../../testing.ts";

let proxy: DatabaseProxy | undefined;
const service = await openTestApp({
  wrapDatabase: async ({ url }) => {
    proxy = await openDatabaseProxy(url);
    return proxy.database;
  },
});
afterAll(() => service.close());
const visitor = service.client();

describe("health", () => {
  test("is the same under both paths and needs no log-in", async () => {
    const [long, short] = [await visitor.service.health(), await visitor.service.healthShort()];
    expect(long).toMatchObject({
      status: "healthy",
      checks: { database: "connected", vpn_servers: "0 of 0 available" },
    });
    expect(short).toEqual({ ...long, timestamp: short.timestamp });
    expect(Math.abs(Date.parse(long.timestamp) - Date.now())).toBeLessThan(5_000);
    expect(await visitor.service.live()).toEqual({ status: "alive" });
    expect(await visitor.service.ready()).toEqual({ status: "ready" });
  });

  test("is degraded while a node is away", async () => {
    const node = await connectNode(service);
    await eventually(async () => expect(await visitor.service.health()).toMatchObject({ status: "healthy" }));
    await node.disconnect();
    expect(await visitor.service.health()).toMatchObject({
      status: "degraded",
      checks: { vpn_servers: "0 of 1 available" },
    });
    await node.connect();
    await eventually(async () => expect(await visitor.service.health()).toMatchObject({ status: "healthy" }));
  });

  test("is unhealthy with 503 while the database is away, requests are refused as such, and all is well when it is back", async () => {
    const { token } = await service.admin();
    proxy?.cut();
    for (const path of ["/health", "/api/health"]) {
      expect(await service.send(path)).toMatchObject({
        status: 503,
        json: { status: "unhealthy", checks: { database: "does not answer", vpn_servers: "unknown" } },
      });
    }
    expect(await service.send("/api/health/ready")).toMatchObject({
      status: 503,
      json: { status: "not_ready" },
    });
    expect((await service.send("/api/health/live")).status).toBe(200);
    const refused = await service.send("/api/account", { token });
    expect(refused).toMatchObject({ status: 503, json: { code: "request.store_unavailable" } });
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await service.send("/api/service")).status).toBe(503);
    proxy?.mend();
    await eventually(async () => expect((await service.send("/api/health")).json.status).toBe("healthy"));
    expect((await service.send("/api/account", { token })).status).toBe(200);
  });
});

describe("metrics", () => {
  test("staff see the figures of the last minutes", async () => {
    const support = await service.person("support");
    await support.client.accounts.me();
    const metrics = await support.client.service.metrics();
    expect(metrics).toMatchObject({ active_connections: "0–9", cache_hit_rate: expect.any(Number) });
    const { avg, p95, p99 } = metrics.api_response_time_ms;
    expect(avg).toBeGreaterThan(0);
    expect(p95).toBeLessThanOrEqual(p99);
    expect(metrics.database_connections).toBeGreaterThan(0);
    expect(metrics.cache_hit_rate).toBeLessThanOrEqual(1);
  });

  test("Prometheus reads them on a port of their own, by their published names", async () => {
    await service.send("/api/auth/login", { body: { email: "nobody@example.org", password: "wrong" } });
    const server = await service.app.telemetry.listen("127.0.0.1", 0);
    const address = server.address();
    const origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    const answer = await fetch(`${origin}/metrics`);
    const text = await answer.text();
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const samples = [
      /^sentinel_requests_total\{method="GET",endpoint="\/api\/health",status="503"\} 1$/m,
      /^sentinel_request_duration_seconds_bucket\{le="0\.005",method="GET",endpoint="\/api\/health"\} \d+$/m,
      /^sentinel_auth_attempts_total\{method="password",result="failure"\} 1$/m,
      /^# TYPE sentinel_db_query_duration_seconds histogram$/m,
      /^securewave_nodes_connected 1$/m,
      /^securewave_connections_floor 0$/m,
      /^securewave_database_connections \d+$/m,
      /^process_resident_memory_bytes \d+$/m,
    ];
    for (const sample of samples) expect(text).toMatch(sample);
    expect(text).not.toMatch(/example\.org|_[0-9a-hjkmnp-tv-z]{20}\b|127\.0\.0\.1/);
    for (const path of ["/", "/metrics?x=1", "/api/health"])
      expect((await fetch(origin + path)).status).toBe(404);
    expect((await fetch(`${origin}/metrics`, { method: "POST" })).status).toBe(404);
    server.close();
    expect((await service.send("/metrics")).status).toBe(404);
  });

  test("labels come from closed lists, so that no path and no word of a request stands in them", async () => {
    await service.send("/canary/198.51.100.77", { method: "PUT" });
    await service.send("/api/vpn/devices/canary");
    const server = await service.app.telemetry.listen("127.0.0.1", 0);
    const address = server.address();
    const text = await (
      await fetch(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/metrics`)
    ).text();
    server.close();
    expect(text).not.toMatch(/canary|198\.51/);
    expect(text).toContain('endpoint="none"');
    expect(text).toContain('endpoint="/api/vpn/devices/:id"');
  });
});
