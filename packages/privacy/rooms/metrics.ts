import { type About, type Group, NOBODYS } from "../entry.ts";
import { type Field, word } from "../fields.ts";
import { jobs } from "./jobs.ts";

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
const job = word("which job", [...jobs.map(({ name }) => name), "_OTHER"]);

export const metrics: readonly Group[] = [
  metric("sentinel_requests_total", "requests answered, without those that maintenance refused", {
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
  metric("securewave_nodes_offline", "nodes that should be connected and are not"),
  metric("securewave_nodes_degraded", "nodes that are connected and not well"),
  metric("securewave_nodes_quarantined", "nodes whose figures are not believed"),
  metric("securewave_nodes_silent", "nodes whose tunnels do not answer the service"),
  metric("securewave_node_handshake_seconds", "how long the slowest of the service's own handshakes took"),
  metric("securewave_connections_floor", "devices connected", {}, "range"),
  metric("securewave_database_connections", "open connections to the database"),
  metric("securewave_database_connections_busy", "how many of those that requests may have are in use"),
  metric("securewave_database_connections_max", "how many requests may have"),
  metric("securewave_database_slow_statements", "how often a statement took long"),
  metric("securewave_database_down", "whether it does not answer"),
  metric("securewave_database_replication_lag_seconds", "how far a standby is behind"),
  metric("securewave_redis_down", "whether Redis does not answer"),
  metric("securewave_jobs_last_success_age_seconds", "how long ago a job of the clock last succeeded", {
    job,
  }),
  metric("securewave_jobs_failed_total", "attempts of jobs that failed", { job }),
  metric("securewave_jobs_dead_letters", "letters that were given up"),
  metric("securewave_jobs_overdue", "jobs of the clock that did not run when they should have"),
  metric("securewave_machine_cpu_share", "share of the machine's processors that is busy"),
  metric("securewave_machine_memory_share", "share of the machine's memory that is used"),
  metric("securewave_disk_used_share", "share of the disk that is used"),
  metric("securewave_clock_offset_seconds", "how far the machine's clock is off"),
  metric("securewave_certificate_days", "days until our own certificate ends"),
  metric("securewave_alerts_firing", "alerts of the service's own watch"),
  metric("securewave_demands_unmet", "settings by which the database or Redis writes down what it must not"),
  metric("securewave_zero_log_hits", "traces of made-up customers in the newest report"),
  metric("securewave_zero_log_proof_days", "days since a search found that nothing is kept"),
  metric("securewave_sla_availability", "share of this month's measured minutes in which the API worked"),
  metric("securewave_sla_budget_left", "share of this month's error budget that is left"),
  metric("securewave_maintenance_mode", "0 off, 1 read-only, 2 closed"),
  metric("securewave_drill_age_days", "days since the newest drill that met its targets"),
  metric("securewave_backup_database_age_seconds", "how old the newest backup of the database is"),
  metric("securewave_backup_config_age_seconds", "how old the newest backup of the settings is"),
  metric("securewave_backup_vpn_age_seconds", "how old the newest backup of the nodes' configurations is"),
  metric("securewave_backup_verified_age_seconds", "how long ago a backup was restored and found good"),
  metric("securewave_backup_failed", "whether the last work on backups failed"),
  metric("securewave_backup_archive_lag_seconds", "how much of what was written is in no backup yet"),
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
