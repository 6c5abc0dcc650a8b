import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fastify } from "fastify";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openTracing, type Tracing, type TracingOptions } from "./index.ts";
import { type Collector, openCollector, type ReceivedSpan } from "./testing-collector.ts";

/** RFC 5737, RFC 3849, RFC 2606: nobody's. */
const CANARIES = ["198.51.100.77", "2001:db8:dead::beef", "canary.example.net", "canary-secret"];

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function open(options: Partial<TracingOptions> = {}) {
  const collector = await openCollector();
  cleanUps.push(() => collector.close());
  let dropped = 0;
  const tracing = await openTracing({
    endpoint: collector.endpoint,
    ratio: 1,
    serviceVersion: "1.2.3",
    onDrop: (count) => {
      dropped += count;
    },
    ...options,
  });
  if (!tracing) throw new Error("tracing is off");
  cleanUps.push(() => tracing.close());
  const app = createApp(tracing);
  cleanUps.push(() => app.close());
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const send = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
    await answer.text();
    return answer;
  };
  return { collector, tracing, app, send, dropped: () => dropped };
}

function createApp(tracing: Tracing) {
  const app = fastify();
  tracing.observeRequests(app);
  const query = async (table: string, isFailed = false) => {
    await sleep(2);
    tracing.observeQuery({ kind: "select", table, seconds: 0.002, isFailed });
  };
  app.get("/api/devices/:id", async () => {
    await query("devices");
    return { traceparent: tracing.traceparent() };
  });
  app.post("/api/auth/login", async ({ body }) => {
    await query("accounts");
    return { body };
  });
  app.get("/api/broken", async ({ url, headers }) => {
    await query("sessions", true);
    throw new Error(`${url} ${JSON.stringify(headers)}`);
  });
  app.get("/api/stray", async ({ url }) => {
    tracing.observeQuery({ kind: url, table: url, seconds: 0.001, isFailed: true });
    return {};
  });
  app.get("/events", async (_request, reply) => {
    reply.type("text/event-stream");
    await query("devices");
    return "data: 1\n\n";
  });
  return app;
}

async function delivered({ tracing, collector }: { tracing: Tracing; collector: Collector }) {
  await sleep(20); // the span ends when the answer has left, which its receiver may hear of first
  await tracing.close();
  return collector.spans();
}

const attributesOf = (span: ReceivedSpan | undefined) =>
  Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]));
const named = (spans: readonly ReceivedSpan[], name: string) => spans.find((span) => span.name === name);

test("nothing is traced, and OpenTelemetry not loaded, without a collector", async () => {
  expect(await openTracing({ endpoint: undefined, ratio: 1, serviceVersion: "1" })).toBeUndefined();
});

describe("spans", () => {
  test("each request makes one, named after method and route, with its queries below it", async () => {
    const service = await open();
    await service.send("/api/devices/7");
    await service.send("/api/auth/login", {
      method: "POST",
      body: JSON.stringify({ email: "a".repeat(100_000) }),
      headers: { "content-type": "application/json" },
    });
    await service.send("/api/broken");
    await service.send("/nowhere");
    const spans = await delivered(service);

    const get = named(spans, "GET /api/devices/:id");
    expect(attributesOf(get)).toEqual({
      "http.request.method": "GET",
      "http.route": "/api/devices/:id",
      "http.response.status_code": 200,
    });
    expect(get).toMatchObject({ kind: 2, status: { code: 0 } });
    expect(get?.parentSpanId).toBeUndefined();
    const query = named(spans, "select devices");
    expect(query).toMatchObject({ kind: 3, traceId: get?.traceId, parentSpanId: get?.spanId });
    expect(attributesOf(query)).toEqual({ "db.operation.name": "select", "db.collection.name": "devices" });
    const durationNs = BigInt(query?.endTimeUnixNano ?? 0) - BigInt(query?.startTimeUnixNano ?? 0);
    expect(Number(durationNs) / 1e6).toBeCloseTo(2, 0);

    // A body arrives by events of the connection, which know nothing of requests; the query after it is still this one's.
    expect(named(spans, "select accounts")?.parentSpanId).toBe(named(spans, "POST /api/auth/login")?.spanId);
    expect(named(spans, "GET /api/broken")).toMatchObject({ status: { code: 2 } });
    expect(attributesOf(named(spans, "GET /api/broken"))["error.type"]).toBe("500");
    expect(attributesOf(named(spans, "select sessions"))["error.type"]).toBe("_OTHER");
    expect(attributesOf(named(spans, "GET"))).toEqual({
      "http.request.method": "GET",
      "http.response.status_code": 404,
    });
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(4);
    expect(spans).toHaveLength(7);
  });

  test("a query outside of a request makes none; nor does an event stream, whose length is a person's visit", async () => {
    const service = await open();
    service.tracing.observeQuery({ kind: "select", table: "devices", seconds: 0.001, isFailed: false });
    await service.send("/events");
    expect(await delivered(service)).toEqual([]);
  });

  test("only the asked share of requests is traced", async () => {
    vi.stubEnv("OTEL_TRACES_SAMPLER", "traceidratio"); // OpenTelemetry would read it, and draw a second time
    vi.stubEnv("OTEL_TRACES_SAMPLER_ARG", "0.25");
    cleanUps.push(async () => vi.unstubAllEnvs());
    const service = await open({ ratio: 0.25 });
    for (let count = 0; count < 400; count++) await service.app.inject("/events/none");
    const { length } = await delivered(service);
    expect(length).toBeGreaterThan(50);
    expect(length).toBeLessThan(150);
  });
});

describe("privacy", () => {
  test("of what a request holds, nothing is in any byte that the collector receives", async () => {
    const service = await open();
    const [v4 = "", v6 = "", host = "", secret = ""] = CANARIES;
    const headers = {
      "x-forwarded-for": v4,
      forwarded: `for="[${v6}]"`,
      "x-real-ip": v4,
      origin: `https://${host}`,
      referer: `https://${host}/${v4}`,
      "user-agent": `${secret} (${v4})`,
      cookie: `securewave_session=${secret}`,
      authorization: `Bearer ${secret}`,
      tracestate: `vendor=${secret}`,
      baggage: `user=${secret}`,
    };
    for (const path of [`/api/devices/${v4}?q=${v6}`, `/api/broken?token=${secret}`, `/${v4}/${secret}`])
      await service.send(path, { headers });
    await service.send(`/api/auth/login?email=${secret}`, {
      method: "POST",
      body: JSON.stringify({ email: `${secret}@${host}`, password: secret }),
      headers: { ...headers, "content-type": "application/json" },
    });
    await service.send("/api/auth/login", {
      method: "POST",
      body: `{"${secret}`,
      headers: { ...headers, "content-type": "application/json" },
    });
    for (const method of ["PROPFIND", "OPTIONS", "DELETE"])
      await service.app.inject({
        method: method as "GET",
        url: `/${v4}?${secret}`,
        headers,
        remoteAddress: v4,
      });
    await service.send(`/api/stray?${secret}`, { headers });
    const spans = await delivered(service);
    expect(spans.length).toBeGreaterThan(10);

    // The head of the delivery names the collector itself.
    const bytes = service.collector.bytes().replaceAll(/Host 127\.0\.0\.1:\d+/gi, "");
    const everywhere = [...CANARIES, "127.0.0.1", "::1", "localhost", "127_0_0_1"];
    const forms = everywhere.flatMap((text) => [
      text,
      encodeURIComponent(text),
      Buffer.from(text).toString("hex"),
      Buffer.from(text).toString("base64").replace(/=+$/, ""),
    ]);
    expect(forms.filter((text) => bytes.toLowerCase().includes(text.toLowerCase()))).toEqual([]);
    const { hostname } = await import("node:os");
    expect(bytes).not.toContain(hostname());
    expect(bytes).not.toContain(process.execPath);
    expect(bytes).not.toContain(`"intValue":${process.pid}`);
    const resource = JSON.parse(bytes.slice(bytes.indexOf('{"resourceSpans"')).split("\n")[0] ?? "")
      .resourceSpans[0].resource.attributes;
    expect(resource.map(({ key }: { key: string }) => key)).toEqual(["service.name", "service.version"]);
  });
});

describe("context from outside", () => {
  const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
  const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331`;
  const headers = { traceparent: `${TRACEPARENT}-01`, tracestate: "vendor=mine", baggage: "user=mine" };

  test("a stranger can neither have a request traced nor choose its id, and hears nothing of it", async () => {
    const service = await open({ ratio: 0 });
    for (let count = 0; count < 20; count++) await service.send("/api/devices/7", { headers });
    expect(await delivered(service)).toEqual([]);

    const traced = await open();
    const answer = await traced.send("/api/devices/7", { headers });
    expect(answer.headers.has("traceresponse")).toBe(false);
    const spans = await delivered(traced);
    expect(spans).toHaveLength(2);
    expect(traced.collector.bytes()).not.toContain(TRACE_ID);
    expect(traced.collector.bytes()).not.toContain("mine");
  });

  test("a trusted caller's trace is continued as it decided, without its other state", async () => {
    const isTrusted: TracingOptions["isTrusted"] = ({ headers }) => headers["x-caller"] === "ours";
    const service = await open({ ratio: 0, isTrusted });
    const trusted = { ...headers, "x-caller": "ours" };
    await service.send("/api/devices/1", { headers });
    await service.send("/api/devices/2", { headers: { ...trusted, traceparent: `${TRACEPARENT}-00` } });
    for (const odd of [
      `${TRACEPARENT}`,
      `01-${TRACEPARENT}`,
      `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
      "",
      "x",
    ])
      await service.send("/api/devices/3", { headers: { ...trusted, traceparent: odd } });
    const answer = await service.send("/api/devices/4", { headers: trusted });
    const spans = await delivered(service);
    const span = named(spans, "GET /api/devices/:id");
    expect(spans).toHaveLength(2);
    expect(span).toMatchObject({ traceId: TRACE_ID, parentSpanId: "b7ad6b7169203331" });
    expect(answer.headers.get("traceresponse")).toBe(`00-${TRACE_ID}-${span?.spanId}-01`);
    expect(service.collector.bytes()).not.toContain("mine");
  });

  test("calls that a request makes can carry its trace on", async () => {
    const service = await open();
    const answer = await service.app.inject("/api/devices/7");
    const [span] = (await delivered(service)).filter(({ kind }) => kind === 2);
    expect(answer.json().traceparent).toBe(`00-${span?.traceId}-${span?.spanId}-01`);
    expect(service.tracing.traceparent()).toBeUndefined();
  });
});

describe("delivery", () => {
  test("a burst of 5,000 spans arrives whole", async () => {
    const service = await open();
    await Promise.all(Array.from({ length: 2500 }, () => service.app.inject("/api/devices/7")));
    const spans = await delivered(service);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(5000);
    expect(service.dropped()).toBe(0);
  });

  test.each(["closed", "silence", 500] as const)(
    "a collector that is away (%s) stops no request, and each span it did not get is counted",
    async (state) => {
      const service = await open();
      if (state === "closed") {
        cleanUps.shift();
        await service.collector.close();
      } else service.collector.answerWith(state);
      const answers = await Promise.all(
        Array.from({ length: 500 }, () => service.app.inject("/api/devices/7")),
      );
      expect(answers.every(({ statusCode }) => statusCode === 200)).toBe(true);
      const closingMs = performance.now();
      await service.tracing.close();
      expect(performance.now() - closingMs).toBeLessThan(4500);
      // Of 1,000 spans one batch may still be on its way.
      expect(service.dropped()).toBeGreaterThanOrEqual(1000 - 256);
      expect(service.dropped()).toBeLessThanOrEqual(1000);
    },
  );
});
