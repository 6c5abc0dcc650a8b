/** Thirty days: what the log holds is about nobody, but what is not needed goes. */
const RETENTION = "720h";

/** Loki in one process, on a folder of its own. */
export function lokiFile(): object {
  return {
    auth_enabled: false,
    server: { http_listen_address: "127.0.0.1", http_listen_port: 3100, grpc_listen_address: "127.0.0.1" },
    common: {
      path_prefix: "/var/lib/loki",
      replication_factor: 1,
      ring: { instance_addr: "127.0.0.1", kvstore: { store: "inmemory" } },
      storage: {
        filesystem: { chunks_directory: "/var/lib/loki/chunks", rules_directory: "/var/lib/loki/rules" },
      },
    },
    schema_config: {
      configs: [
        {
          from: "2026-01-01",
          store: "tsdb",
          object_store: "filesystem",
          schema: "v13",
          index: { prefix: "index_", period: "24h" },
        },
      ],
    },
    compactor: {
      working_directory: "/var/lib/loki/compactor",
      retention_enabled: true,
      delete_request_store: "filesystem",
    },
    limits_config: { retention_period: RETENTION, allow_structured_metadata: true },
    analytics: { reporting_enabled: false },
  };
}

/** Reads LOG_FILE with what it was rotated to, and takes traces; logs go to Loki, traces to where you keep them. */
export function collectorFile(): object {
  return {
    receivers: {
      filelog: {
        include: ["/var/log/securewave/*.log"],
        start_at: "beginning",
        storage: "file_storage",
        operators: [
          {
            type: "json_parser",
            timestamp: {
              parse_from: "attributes.time",
              layout_type: "gotime",
              layout: "2006-01-02T15:04:05.999Z07:00",
            },
            severity: {
              parse_from: "attributes.level",
              mapping: { debug: 20, info: 30, warn: 40, error: 50 },
            },
          },
        ],
      },
      otlp: { protocols: { http: { endpoint: "127.0.0.1:4318" } } },
    },
    processors: {
      resource: { attributes: [{ key: "service.name", value: "securewave", action: "upsert" }] },
      batch: { send_batch_size: 1000, timeout: "5s" },
    },
    extensions: { file_storage: { directory: "/var/lib/otelcol/positions" } },
    exporters: {
      "otlphttp/loki": {
        endpoint: "http://127.0.0.1:3100/otlp",
        sending_queue: { enabled: true, storage: "file_storage" },
        retry_on_failure: { enabled: true, max_elapsed_time: "0s" },
      },
      "otlphttp/traces": {
        endpoint: "http://127.0.0.1:4319",
        sending_queue: { enabled: true, queue_size: 5000 },
      },
    },
    service: {
      extensions: ["file_storage"],
      pipelines: {
        logs: { receivers: ["filelog"], processors: ["resource", "batch"], exporters: ["otlphttp/loki"] },
        traces: { receivers: ["otlp"], processors: ["batch"], exporters: ["otlphttp/traces"] },
      },
    },
  };
}
