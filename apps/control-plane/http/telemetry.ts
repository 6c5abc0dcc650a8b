import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { floorOf } from "@securewave/live";
import type { Sample } from "@securewave/monitoring";
import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Logger } from "../logger.ts";
import { labelOf, METHODS, NO_ROUTE, queryLabelsOf } from "./labels.ts";

const WINDOW_MS = 60_000;
/** Linux. */
const OPEN_FILES_DIR = "/proc/self/fd";

export type AuthMethod = (typeof AUTH_METHODS)[number];
export type AuthResult = (typeof AUTH_RESULTS)[number];
/** Which limit was used up: of all together, of an origin, of an account, of an API key, of a sensitive route. */
export type RateLimitType = (typeof RATE_LIMIT_TYPES)[number];

const AUTH_METHODS = ["password", "totp", "passkey", "recovery_code", "api_key", "refresh"] as const;
const AUTH_RESULTS = ["success", "failure", "locked"] as const;
const RATE_LIMIT_TYPES = ["global", "ip", "user", "api_key", "route", "credential"] as const;

/** Counts and times, without people. Every label's value comes from a closed list, whatever a request holds. */
export interface Telemetry {
  observeRequests(app: FastifyInstance): void;
  observeQuery(query: { kind: string; table: string | undefined; seconds: number }): void;
  /** How many queries there were so far, and how long they took together. */
  queryTotals(): { readonly count: number; readonly seconds: number };
  countAuthAttempt(method: AuthMethod, result: AuthResult): void;
  countRateLimit(limit: RateLimitType): void;
  /** Spans that no collector got: the queue was full, or the collector did not take them. */
  countDroppedSpans(count: number): void;
  observeSessionLookup(wasCached: boolean): void;
  /**
   * Adds a gauge that is read when it is asked for; what cannot be read, or is `NaN`, is not known. Where it counts people it is to give a range's lower end
   * (ZERO-LOG R9); attackers, as in `sentinel_blocked_ips_count`, may be counted exactly.
   */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** Likewise, with a value for each of a closed list of words. */
  gauges(name: string, help: string, label: string, read: () => Promise<ReadonlyMap<string, number>>): void;
  /** @param job its name, or `_OTHER` where the queue itself failed */
  countJobFailure(job: string): void;
  /** Figures of the last one to two minutes. */
  recent(): { avgMs: number; p95Ms: number; p99Ms: number; cacheHitRate: number };
  /** Every series as it is now, as a scrape would get it. */
  samples(): Promise<Sample[]>;
  listen(host: string, port: number): Promise<Server>;
}

export function createTelemetry(logger: Logger): Telemetry {
  const registry = new Registry();
  const registers = [registry];
  collectProcessMetrics(registry);
  const requests = new Counter({
    name: "sentinel_requests_total",
    help: "Requests answered, without those that maintenance refused",
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
  const refused = new Counter({
    name: "sentinel_rate_limit_exceeded_total",
    help: "Requests refused because a limit was used up",
    labelNames: ["limit_type"],
    registers,
  });
  const droppedSpans = new Counter({
    name: "securewave_spans_dropped_total",
    help: "Trace spans that were not delivered to the collector",
    registers,
  });
  const failedJobs = new Counter({
    name: "securewave_jobs_failed_total",
    help: "Attempts of jobs that failed",
    labelNames: ["job"],
    registers,
  });
  const windows = createWindows();
  const lookups = { cached: 0, all: 0 };
  const queried = { count: 0, seconds: 0 };

  return {
    observeRequests(app) {
      app.addHook("onResponse", async (request, reply) => {
        const endpoint = request.routeOptions.url ?? NO_ROUTE;
        const method = labelOf(METHODS, request.method);
        const milliseconds = reply.elapsedTime;
        if (!reply.isOfMaintenance) requests.inc({ method, endpoint, status: reply.statusCode });
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
      queries.observe(queryLabelsOf(kind, table), seconds);
      queried.count++;
      queried.seconds += seconds;
    },
    queryTotals: () => ({ ...queried }),
    countAuthAttempt(method, result) {
      attempts.inc({ method: labelOf(AUTH_METHODS, method), result: labelOf(AUTH_RESULTS, result) });
    },
    countRateLimit(limit) {
      refused.inc({ limit_type: labelOf(RATE_LIMIT_TYPES, limit) });
    },
    countDroppedSpans(count) {
      droppedSpans.inc(count);
    },
    observeSessionLookup(wasCached) {
      lookups.all++;
      if (wasCached) lookups.cached++;
    },
    gauge: (name, help, read) => addGauge(registry, name, help, read),
    gauges: (name, help, label, read) => addGauges(registry, { name, help, label, read }),
    countJobFailure(job) {
      failedJobs.inc({ job });
    },
    recent: () => ({ ...windows.read(), cacheHitRate: lookups.all === 0 ? 1 : lookups.cached / lookups.all }),
    samples: () => samplesOf(registry),
    listen: (host, port) => listenForScrapes(registry, host, port),
  };
}

function addGauge(
  registry: Registry,
  name: string,
  help: string,
  read: () => number | Promise<number>,
): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    async collect() {
      // One that cannot be read must not take all others with it: they tell why.
      this.set(
        await Promise.resolve()
          .then(read)
          .catch(() => Number.NaN),
      );
    },
  });
}

async function samplesOf(registry: Registry): Promise<Sample[]> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.flatMap(({ name, values }) =>
    values.map(({ value, labels, ...rest }) => ({
      name:
        ("metricName" in rest && typeof rest.metricName === "string" ? rest.metricName : undefined) ?? name,
      labels: definedOf(labels),
      value,
    })),
  );
}

function definedOf(labels: Partial<Record<string, string | number>>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(labels).flatMap(([label, value]) => (value === undefined ? [] : [[label, value]])),
  );
}

interface LabelledGauge {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  read(): Promise<ReadonlyMap<string, number>>;
}

function addGauges(registry: Registry, { name, help, label, read }: LabelledGauge): void {
  new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    async collect() {
      const values = await read();
      this.reset();
      for (const [word, value] of values) this.set({ [label]: word }, value);
    },
  });
}

/**
 * What Prometheus knows of every Node process, but for what counts open sockets: on a small service one more of
 * them is one person (ZERO-LOG R9). Open files, of which sockets are most, are told as the lower end of a range.
 */
function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const kind of ["resources", "handles", "requests"]) {
    registry.removeSingleMetric(`nodejs_active_${kind}`);
    registry.removeSingleMetric(`nodejs_active_${kind}_total`);
  }
  registry.removeSingleMetric("process_open_fds");
  if (!existsSync(OPEN_FILES_DIR)) return;
  const help = "Open files and sockets, rounded down to a range's lower end";
  addGauge(registry, "process_open_fds", help, async () => floorOf((await readdir(OPEN_FILES_DIR)).length));
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
    const metrics = await registry.metrics().catch(() => undefined);
    if (metrics === undefined)
      response.writeHead(500).end(); // the service goes on without being measured
    else response.writeHead(200, { "content-type": registry.contentType }).end(metrics);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}
