import { type About, type Group, NOBODYS } from "../entry.ts";
import { type Field, word } from "../fields.ts";

const METRIC = {
  class: "live",
  ...NOBODYS,
  lifetime: "until the process ends; what scrapes it keeps it as long as you decide",
  purpose: "to see whether the service is well",
} as const satisfies Partial<About>;

/** The closed lists that labels take their values from; `_OTHER` stands for what is on none. */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "_OTHER"] as const;
const OPERATIONS = ["select", "insert", "update", "delete", "merge", "raw", "_OTHER"];
const AUTH_METHODS = ["password", "totp", "passkey", "recovery_code", "api_key", "refresh", "_OTHER"];

/** Patterns of routes, tables and statuses: many, but written in the code, so they are known by their form. */
export const ROUTE_LABEL = /^(none|\*|\/[A-Za-z0-9:/._*-]*)$/;
export const TABLE_LABEL = /^(none|_OTHER|[a-z_][a-z0-9_]{0,62})$/;
export const STATUS_LABEL = /^[1-5]\d\d$/;

/** Forms of labels whose closed list is too long to be written down. */
export const labelForms: Readonly<Record<string, RegExp>> = {
  endpoint: ROUTE_LABEL,
  table: TABLE_LABEL,
  status: STATUS_LABEL,
};

/** What a value may tell: an exact number, or the lower end of a range where it counts people. */
export type Counting = "exact" | "range";

function metric(
  name: string,
  what: string,
  fields: Readonly<Record<string, Field>> = {},
  counting: Counting = "exact",
): Group {
  const value: Field = { what: "the value", precision: counting === "range" ? "range" : "number" };
  return { room: "metric", name, ...METRIC, what, fields: { ...fields, value } };
}

const endpoint = word("pattern of the route", []);
const method = word("method of the request", METHODS);

export const metrics: readonly Group[] = [
  metric("sentinel_requests_total", "requests answered", {
    method,
    endpoint,
    status: word("status of the answer", []),
  }),
  metric("sentinel_request_duration_seconds", "how long they took", { method, endpoint }),
  metric("sentinel_db_query_duration_seconds", "how long queries took", {
    operation: word("kind of the query", OPERATIONS),
    table: word("its first table", []),
  }),
  metric("sentinel_auth_attempts_total", "attempts to log in", {
    method: word("by what", AUTH_METHODS),
    result: word("how it ended", ["success", "failure", "locked", "_OTHER"]),
  }),
  metric("sentinel_rate_limit_exceeded_total", "requests refused because a limit was used up", {
    limit_type: word("which limit", ["global", "ip", "user", "api_key", "route", "credential", "_OTHER"]),
  }),
  metric("sentinel_blocked_ips_count", "origins that are blocked"),
  metric("securewave_spans_dropped_total", "spans that were not delivered"),
  metric("securewave_nodes_connected", "nodes connected to this process"),
  metric("securewave_nodes_quarantined", "nodes whose figures are not believed"),
  metric("securewave_nodes_silent", "nodes whose tunnels do not answer the service"),
  metric("securewave_node_handshake_seconds", "how long the slowest of the service's own handshakes took"),
  metric("securewave_connections_floor", "devices connected", {}, "range"),
  metric("securewave_database_connections", "open connections to the database"),
  metric("securewave_demands_unmet", "settings by which the database or Redis writes down what it must not"),
  metric("securewave_zero_log_hits", "traces of made-up customers in the newest report"),
  metric("securewave_zero_log_proof_days", "days since a search found that nothing is kept"),
  metric("process_open_fds", "open files and sockets", {}, "range"),
];

/**
 * What prom-client tells of any Node process: memory, time of the processor, garbage collection, lags. The gauges of
 * open sockets are not among them: one more is one person.
 */
export const processMetrics: readonly Group[] = [
  ...[
    "process_cpu_user_seconds_total",
    "process_cpu_system_seconds_total",
    "process_cpu_seconds_total",
    "process_start_time_seconds",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_heap_bytes",
    "process_max_fds",
    "nodejs_eventloop_lag_seconds",
    "nodejs_eventloop_lag_min_seconds",
    "nodejs_eventloop_lag_max_seconds",
    "nodejs_eventloop_lag_mean_seconds",
    "nodejs_eventloop_lag_stddev_seconds",
    "nodejs_eventloop_lag_p50_seconds",
    "nodejs_eventloop_lag_p90_seconds",
    "nodejs_eventloop_lag_p99_seconds",
    "nodejs_heap_size_total_bytes",
    "nodejs_heap_size_used_bytes",
    "nodejs_external_memory_bytes",
  ].map((name) => metric(name, "how the process is")),
  ...["total", "used", "available"].map((part) =>
    metric(`nodejs_heap_space_size_${part}_bytes`, "how the process is", {
      space: word("part of the memory", [
        "read_only",
        "new",
        "old",
        "code",
        "shared",
        "trusted",
        "shared_trusted",
        "new_large_object",
        "large_object",
        "code_large_object",
        "shared_large_object",
        "trusted_large_object",
        "shared_trusted_large_object",
      ]),
    }),
  ),
  metric("nodejs_version_info", "which Node it runs on", {
    version: word("its version", []),
    major: word("its version", []),
    minor: word("its version", []),
    patch: word("its version", []),
  }),
  metric("nodejs_gc_duration_seconds", "how the process is", {
    kind: word("kind of collection", ["minor", "major", "incremental", "weakcb"]),
  }),
];
