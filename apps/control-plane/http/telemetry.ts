import { createServer, type Server } from "node:http";
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Logger } from "../logger.ts";

const WINDOW_MS = 60_000;

/** Counts and times, without people. Label values come from closed lists: methods, route patterns, status. */
export interface Telemetry {
  observeRequests(app: FastifyInstance): void;
  observeQuery(query: { kind: string; table: string | undefined; seconds: number }): void;
  countAuthAttempt(method: string, result: "success" | "failure" | "locked"): void;
  observeSessionLookup(wasCached: boolean): void;
  /** Adds a gauge that is read when it is asked for. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** Figures of the last one to two minutes. */
  recent(): { avgMs: number; p95Ms: number; p99Ms: number; cacheHitRate: number };
  listen(host: string, port: number): Promise<Server>;
}

export function createTelemetry(logger: Logger): Telemetry {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: "sentinel_requests_total",
    help: "Requests answered",
    labelNames: ["method", "endpoint", "status"],
    registers,
  });
  const durations = new Histogram({
    name: "sentinel_request_duration_seconds",
    help: "Time from receiving a request to its answer",
    labelNames: ["method", "endpoint"],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5],
    registers,
  });
  const queries = new Histogram({
    name: "sentinel_db_query_duration_seconds",
    help: "Time of a database query",
    labelNames: ["operation", "table"],
    buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
    registers,
  });
  const attempts = new Counter({
    name: "sentinel_auth_attempts_total",
    help: "Attempts to log in",
    labelNames: ["method", "result"],
    registers,
  });
  const windows = createWindows();
  const lookups = { cached: 0, all: 0 };

  return {
    observeRequests(app) {
      app.addHook("onResponse", async (request, reply) => {
        const endpoint = request.routeOptions.url ?? "none";
        const method = request.method;
        const milliseconds = reply.elapsedTime;
        requests.inc({ method, endpoint, status: reply.statusCode });
        if (reply.getHeader("content-type") === "text/event-stream") return;
        durations.observe({ method, endpoint }, milliseconds / 1000);
        windows.record(milliseconds);
        const fields = {
          method,
          route: endpoint,
          status: reply.statusCode,
          milliseconds: Math.round(milliseconds),
        };
        logger.debug("request", fields);
      });
    },
    observeQuery({ kind, table, seconds }) {
      queries.observe({ operation: kind, table: table ?? "none" }, seconds);
    },
    countAuthAttempt(method, result) {
      attempts.inc({ method, result });
    },
    observeSessionLookup(wasCached) {
      lookups.all++;
      if (wasCached) lookups.cached++;
    },
    gauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers,
        async collect() {
          this.set(await read());
        },
      });
    },
    recent: () => ({ ...windows.read(), cacheHitRate: lookups.all === 0 ? 1 : lookups.cached / lookups.all }),
    listen: (host, port) => listenForScrapes(registry, host, port),
  };
}

/** Two histograms of request times; the older one is dropped every minute. */
function createWindows() {
  let current: RecordableHistogram = createHistogram();
  let previous = current;
  let turnsAtMs = Date.now() + WINDOW_MS;
  return {
    record(milliseconds: number) {
      if (Date.now() > turnsAtMs) {
        previous = current;
        current = createHistogram();
        turnsAtMs = Date.now() + WINDOW_MS;
      }
      current.record(Math.max(1, Math.round(milliseconds * 1000)));
    },
    read() {
      const all = createHistogram();
      all.add(current);
      if (previous !== current) all.add(previous);
      const ms = (microseconds: number) => (all.count === 0 ? 0 : Math.round(microseconds) / 1000);
      return { avgMs: ms(all.mean), p95Ms: ms(all.percentile(95)), p99Ms: ms(all.percentile(99)) };
    },
  };
}

function listenForScrapes(registry: Registry, host: string, port: number): Promise<Server> {
  const server = createServer(async (request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    const metrics = await registry.metrics();
    response.writeHead(200, { "content-type": registry.contentType }).end(metrics);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}
