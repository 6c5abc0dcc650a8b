import { QUIET_LOG_SETTINGS } from "@securewave/database/postgres-settings";
import type { ClusterPlan, DatabaseMember } from "./plan.ts";

/**
 * Patroni's times in seconds. It demands `loopWait + 2 × retry <= ttl`, and 20 is the least `ttl`: so long a leader that
 * vanished without a word keeps its place.
 */
export const PATRONI_TIMES = { ttl: 20, loopWait: 2, retry: 8 } as const;

/** Apart from what keeps the log quiet; sizes are for a machine with 4 GB. */
const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  wal_level: "replica",
  wal_log_hints: "on",
  hot_standby: "on",
  // A standby comes back to a restarted leader at once: until then nothing is acknowledged.
  wal_retrieve_retry_interval: "500ms",
  max_connections: "200",
  max_wal_senders: "10",
  max_replication_slots: "10",
  max_slot_wal_keep_size: "10GB",
  password_encryption: "scram-sha-256",
  shared_buffers: "1GB",
  effective_cache_size: "3GB",
  checkpoint_timeout: "15min",
  min_wal_size: "256MB",
  max_wal_size: "4GB",
  // A standby or a client that is frozen, or was cut off, is given up after this.
  wal_sender_timeout: "5s",
  wal_receiver_timeout: "5s",
  tcp_keepalives_idle: "10",
  tcp_keepalives_interval: "5",
  tcp_keepalives_count: "3",
  tcp_user_timeout: "15s",
  timezone: "UTC",
  log_timezone: "UTC",
  track_commit_timestamp: "off",
};

export interface PatroniOptions {
  /** Others than those above, such as sizes for another machine. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What restarts the machine of a leader that hangs. Where there is no such device, `off`. */
  readonly watchdog?: "required" | "automatic" | "off";
  /** Where Patroni writes the passwords for PostgreSQL's own tools; below a folder that is not on a disk. */
  readonly pgpassPath?: string;
}

/**
 * Patroni's configuration file of one member. Passwords come by the environment: `PATRONI_SUPERUSER_PASSWORD`,
 * `PATRONI_REPLICATION_PASSWORD`, `PATRONI_REWIND_PASSWORD`, `PATRONI_RESTAPI_PASSWORD`, each with its `…_USERNAME`.
 */
export function renderPatroni(
  plan: ClusterPlan,
  member: DatabaseMember,
  options: PatroniOptions = {},
): string {
  const { settings = {}, watchdog = "automatic", pgpassPath = "/run/postgresql/patroni.pgpass" } = options;
  const { ttl, loopWait, retry } = PATRONI_TIMES;
  const parameters = { ...SERVER_SETTINGS, ...QUIET_LOG_SETTINGS, ...settings };
  const etcd = plan.etcd.map(({ host, clientPort }) => `    - ${host}:${clientPort}`);
  return `scope: ${plan.name}
namespace: /securewave/
name: ${member.name}

restapi:
  listen: ${member.host}:${member.restPort}
  connect_address: ${member.host}:${member.restPort}

${plan.etcdInterface}:
  hosts:
${etcd.join("\n")}

bootstrap:
  dcs: # of the whole cluster; changed later with: patronictl edit-config
    ttl: ${ttl}
    loop_wait: ${loopWait}
    retry_timeout: ${retry}
    # What was acknowledged is on the disk of a standby; without a standby nothing is acknowledged.
    synchronous_mode: true
    synchronous_mode_strict: true
    synchronous_node_count: 1
    # While etcd is away, the leader goes on for as long as all members see it.
    failsafe_mode: true
    check_timeline: true
    # A crashed server is restarted where it stands for so long, before a standby takes over.
    primary_start_timeout: 10
    primary_stop_timeout: 10
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
${yamlOf(parameters, 8)}
  initdb:
    - data-checksums
    - encoding: UTF8
    - locale: C.UTF-8
    - auth-local: peer
    - auth-host: scram-sha-256

postgresql:
  listen: ${member.host}:${member.port}
  connect_address: ${member.host}:${member.port}
  bin_dir: ${member.binDir}
  data_dir: ${member.dataDir}
  pgpass: ${pgpassPath}
  parameters:
    unix_socket_directories: ${quoted(member.socketDir)}
    unix_socket_permissions: "0700"
  # A member whose history went another way fetches everything anew.
  remove_data_directory_on_rewind_failure: true
  remove_data_directory_on_diverged_timelines: true
  pg_hba:
    - local all all peer
${plan.networks.flatMap((network) => [`    - host replication replicator ${network} scram-sha-256`, `    - host all all ${network} scram-sha-256`]).join("\n")}

watchdog:
  mode: ${quoted(watchdog)}
`;
}

function yamlOf(values: Readonly<Record<string, string>>, indent: number): string {
  return Object.entries(values)
    .map(([name, value]) => `${" ".repeat(indent)}${name}: ${quoted(value)}`)
    .join("\n");
}

/** A string of JSON is one of YAML. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
