/**
 * No value of a row and no address reaches a log line. Below the level `log` stand errors, whose texts quote values; the
 * caller gets them.
 */
export const QUIET_LOG_SETTINGS = {
  log_destination: "stderr",
  logging_collector: "off",
  log_line_prefix: "",
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
  log_statement: "none",
  log_parameter_max_length: "0",
  log_parameter_max_length_on_error: "0",
  log_connections: "off",
  log_disconnections: "off",
  log_checkpoints: "off",
  log_autovacuum_min_duration: "-1",
  lc_messages: "C",
} as const;

/**
 * What the embedded PostgreSQL runs with. Given on its command line, so that a store from an older
 * SecureWave runs with the settings of this one.
 */
export const POSTGRES_SETTINGS = {
  // What is acknowledged is on the disk.
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  wal_level: "replica",

  // Nobody but this process talks to it.
  listen_addresses: "",
  unix_socket_permissions: "0700",
  max_connections: "40",
  // A base backup and the archive follow it; when the archive cannot, its slot holds back this much at most.
  max_wal_senders: "4",
  max_replication_slots: "2",
  max_slot_wal_keep_size: "2GB",

  ...QUIET_LOG_SETTINGS,

  // Small: a store of some hundred megabytes beside the program itself.
  shared_buffers: "24MB",
  min_wal_size: "32MB",
  max_wal_size: "128MB",
  jit: "off",
  io_method: "sync",
  max_worker_processes: "2",
  max_parallel_workers: "0",
  max_parallel_workers_per_gather: "0",
  max_logical_replication_workers: "0",
  update_process_title: "off",

  // Quiet when idle: its background processes wake a few times a minute.
  autovacuum_naptime: "5min",
  bgwriter_delay: "10s",
  wal_writer_delay: "10s",
  checkpoint_timeout: "15min",

  timezone: "UTC",
  log_timezone: "UTC",
} as const;

/** For tests only: a crash of the system loses everything. */
export const THROWAWAY_SETTINGS = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  max_connections: "200",
  max_wal_size: "1GB",
} as const;
