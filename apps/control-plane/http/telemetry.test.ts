import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import fc from "fast-check";
import { fastify } from "fastify";
import { afterAll, describe, expect, test } from "vitest";
import { createLogger } from "../logger.ts";
import { answerClientErrors, answerErrors } from "./problems.ts";
import { createTelemetry } from "./telemetry.ts";

const lines: string[] = [];
const logger = createLogger("debug", { write: (line) => void lines.push(line) });
const telemetry = createTelemetry(logger);
let blocked = 3;
telemetry.gauge("sentinel_blocked_ips_count", "Origins that are blocked", () => blocked);

const app = fastify({ clientErrorHandler: answerClientErrors({}), exposeHeadRoutes: true });
answerErrors(app, logger);
telemetry.observeRequests(app);
app.get("/api/devices/:id", async () => ({}));
app.post("/api/auth/login", async () => ({}));
app.get("/api/broken/:id", async ({ url, headers }) => {
  throw new Error(`${url} ${JSON.stringify(headers)}\n    at ${CANARY} (/packages/${CANARY}:1:1)`);
});
app.get("/events", async (_request, reply) => reply.type("text/event-stream").send("data: 1\n\n"));
await app.listen({ host: "127.0.0.1", port: 0 });
const { port } = app.server.address() as AddressInfo;
const scraped = await telemetry.listen("127.0.0.1", 0);
afterAll(async () => {
  scraped.close();
  await app.close();
});

/** RFC 5737: nobody's. */
const CANARY = "198.51.100.77";

async function scrape(): Promise<string> {
  const { port: metricsPort } = scraped.address() as AddressInfo;
  return (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
}

/** Sends bytes as they are and waits until the server has closed. */
async function sendBytes(bytes: string): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  socket.end(Buffer.from(bytes, "latin1"));
  await once(socket, "close");
}

/** The values that each label of a metric has. */
function labelsOf(text: string, metric: string): Map<string, Set<string>> {
  const labels = new Map<string, Set<string>>();
  const samples = text.split("\n").filter((line) => line.startsWith(`${metric}{`));
  for (const [, name = "", value = ""] of samples.join("\n").matchAll(/(\w+)="([^"]*)"/g))
    labels.set(name, (labels.get(name) ?? new Set()).add(value));
  return labels;
}

const ODD_METHODS = ["PROPFIND", "M-SEARCH", "QUERY", "LINK", "SOURCE", "FOO", "get", "GET2", `G${CANARY}`];
const FORGED = `{"level":30,"event":"forged","route":"/${CANARY}"}`;
const INJECTIONS = [
  `\r\n${FORGED}\r\n`,
  `\n${FORGED}`,
  `%0d%0a${FORGED}`,
  `\u001b[2J\u001b]0;${CANARY}\u0007`,
  `","event":"forged","x":"`,
  `\u0085${FORGED}\u2028${FORGED}\u2029`,
  "%00%0a%1b[31m",
  `\u0000\u007f\u009b31m`,
  `../../${CANARY}`,
  "__proto__",
];

/** Every place of a request that can hold a text. */
function requestsWith(text: string): string[] {
  const inPath = encodeURI(text);
  const headers = "Host: x\r\nConnection: close\r\n";
  const body = JSON.stringify({ email: text, [text]: text });
  return [
    `GET /${text} HTTP/1.1\r\n${headers}\r\n`,
    `GET /${inPath} HTTP/1.1\r\n${headers}\r\n`,
    `GET /api/devices/${inPath}?search=${inPath} HTTP/1.1\r\n${headers}\r\n`,
    `GET /api/broken/${inPath}?token=${inPath} HTTP/1.1\r\n${headers}X-Request-Id: ${text}\r\n\r\n`,
    `GET /api/broken/1 HTTP/1.1\r\nHost: ${text}\r\nUser-Agent: ${text}\r\nCookie: a=${text}\r\nConnection: close\r\n\r\n`,
    `GET /api/broken/1 HTTP/1.1\r\n${headers}X-Forwarded-For: ${text}\r\nTraceparent: ${text}\r\nX-${text}: 1\r\n\r\n`,
    `${text} / HTTP/1.1\r\n${headers}\r\n`,
    `GET / HTTP/${text}\r\n${headers}\r\n`,
    `POST /api/auth/login HTTP/1.1\r\n${headers}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body, "latin1")}\r\n\r\n${body}`,
    `POST /api/auth/login HTTP/1.1\r\n${headers}Content-Type: ${text}\r\nContent-Length: 2\r\n\r\n{}`,
    text,
  ];
}

const FIELDS = ["level", "time", "event", "method", "route", "status", "milliseconds", "error"];
const ROUTES = ["none", "/api/devices/:id", "/api/auth/login", "/api/broken/:id"];

function expectHonest(written: readonly string[]): void {
  for (const line of written) {
    expect(line).toMatch(/^\{[^\p{Cc}\p{Zl}\p{Zp}]*\}\n$/u);
    const fields = JSON.parse(line);
    expect(Object.keys(fields).filter((field) => !FIELDS.includes(field))).toEqual([]);
    expect(["request", "request_failed"]).toContain(fields.event);
    expect(ROUTES).toContain(fields.route);
    expect(line).not.toContain("forged");
    expect(line).not.toContain(CANARY);
  }
}

test("log injection: whatever a request holds, each line is one JSON line with fields of the list", async () => {
  for (const text of INJECTIONS) for (const request of requestsWith(text)) await sendBytes(request);
  expect(lines.length).toBeGreaterThan(INJECTIONS.length * 5);
  expect(lines.join("")).toContain('"event":"request_failed"');
  expectHonest(lines);
});

test("log injection: nor does any text that was made at random", async () => {
  const before = lines.length;
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", maxLength: 40 }), fc.nat(10), async (text, place) => {
      await sendBytes(requestsWith(text)[place] ?? "");
    }),
    { numRuns: 60 },
  );
  expect(lines.length).toBeGreaterThan(before);
  expectHonest(lines.slice(before));
});

describe("metrics", () => {
  test("label values come from closed lists, whatever a request holds", async () => {
    for (const method of ODD_METHODS)
      await sendBytes(`${method} /${CANARY} HTTP/1.1\r\nHost: ${CANARY}\r\nConnection: close\r\n\r\n`);
    for (const path of [`/${CANARY}`, `/api/devices/${CANARY}?q=${CANARY}`, `//${CANARY}/..`, "/%ff"]) {
      for (const method of ["GET", "HEAD", "PUT", "OPTIONS"])
        await sendBytes(`${method} ${path} HTTP/1.1\r\nHost: ${CANARY}\r\nConnection: close\r\n\r\n`);
    }
    const text = await scrape();
    expect(text).not.toContain(CANARY);
    const labels = labelsOf(text, "sentinel_requests_total");
    expect([...labels.keys()].sort()).toEqual(["endpoint", "method", "status"]);
    const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "_OTHER"];
    for (const value of labels.get("method") ?? []) expect(methods).toContain(value);
    expect(labels.get("method")).toContain("_OTHER");
    for (const value of labels.get("endpoint") ?? []) expect(ROUTES).toContain(value);
    for (const value of labels.get("status") ?? []) expect(value).toMatch(/^[2-5]\d\d$/);
  });

  test("what is not on a list counts as other, also where the types were got around", async () => {
    const stray = `${CANARY} or worse` as never;
    telemetry.countAuthAttempt(stray, stray);
    telemetry.countRateLimit(stray);
    telemetry.observeQuery({ kind: stray, table: stray, seconds: 0.001 });
    const text = await scrape();
    expect(text).not.toContain(CANARY);
    expect(text).toContain('sentinel_auth_attempts_total{method="_OTHER",result="_OTHER"} 1');
    expect(text).toContain('sentinel_rate_limit_exceeded_total{limit_type="_OTHER"} 1');
    expect(text).toContain('sentinel_db_query_duration_seconds_count{operation="_OTHER",table="_OTHER"} 1');
  });

  test("they bear the published names and values", async () => {
    telemetry.countAuthAttempt("recovery_code", "success");
    telemetry.countRateLimit("api_key");
    telemetry.countDroppedSpans(7);
    telemetry.observeQuery({ kind: "select", table: "devices", seconds: 0.001 });
    blocked = 4;
    const text = await scrape();
    for (const sample of [
      'sentinel_auth_attempts_total{method="recovery_code",result="success"} 1',
      'sentinel_rate_limit_exceeded_total{limit_type="api_key"} 1',
      "securewave_spans_dropped_total 7",
      "sentinel_blocked_ips_count 4",
      'sentinel_db_query_duration_seconds_count{operation="select",table="devices"} 1',
      "# TYPE sentinel_request_duration_seconds histogram",
      "# TYPE sentinel_requests_total counter",
      "# TYPE process_resident_memory_bytes gauge",
    ]) {
      expect(text.split("\n")).toContain(sample);
    }
  });

  test("no gauge tells how many sockets are open: on a small service one more of them is one person", async () => {
    const text = await scrape();
    expect(text).not.toContain("nodejs_active");
    expect(text).toMatch(/^process_open_fds (0|10|50|100|250|500|1000)$/m);
  });
});
