/**
 * The files of code that reach out of their process, each with what it writes or sends: an entry of the catalogue as
 * `room: name`, or `nothing: ` and why nothing is kept or told by it. A file that is not here may neither write files,
 * nor run programs, nor talk to anybody.
 */
export const reaches: Readonly<Record<string, readonly string[]>> = {
  // The command line, on an operator's machine
  "apps/cli/commands/audit-export.ts": ["file: exported trail"],
  "apps/cli/commands/audit-lines.ts": ["nothing: reads an exported trail"],
  "apps/cli/credentials.ts": ["file: credentials"],
  "apps/cli/doctor/machine.ts": [
    "nothing: tries what the machine can do, and asks the health of the service",
  ],
  "apps/cli/files.ts": [
    "file: credentials",
    "file: data key",
    "file: exported data",
    "file: tunnel configuration",
    "file: zero-log report",
  ],
  "apps/cli/own-program.ts": [
    "nothing: runs programs of ours on this machine: the service's for its backups, a drill's",
  ],
  "apps/cli/tunnel-file.ts": ["file: tunnel configuration"],

  // The console, in a customer's browser
  "apps/console/api.ts": ["nothing: asks the service that it came from"],
  "apps/console/theme.ts": ["browser: theme"],

  // The control plane
  "apps/control-plane/durable-file.ts": ["file: audit archive", "file: secrets"],
  "apps/control-plane/http/country.ts": ["nothing: compares a proxy's address with those that are trusted"],
  "apps/control-plane/http/telemetry.ts": ["metric: sentinel_requests_total"],
  "apps/control-plane/local-node.ts": ["file: local node"],
  "apps/control-plane/log-file.ts": ["log: control-plane"],
  "apps/control-plane/main.ts": ["nothing: greets the operator on standard output, once"],
  "apps/control-plane/modules/audit/archive.ts": ["file: audit archive"],
  "apps/control-plane/modules/health/certificate.ts": ["outgoing: own certificate"],
  "apps/control-plane/modules/mail/mail.ts": ["file: outbox", "mail: reset"],
  "apps/control-plane/modules/node-health/endpoint-names.ts": [
    "nothing: asks the machine's resolver for our own nodes' names",
  ],
  "apps/control-plane/modules/nodes/gateway.ts": ["node protocol: snapshot"],
  "apps/control-plane/secret-file.ts": ["file: secrets"],
  "apps/control-plane/tracing/opentelemetry.ts": ["trace: span", "outgoing: traces"],

  "apps/control-plane/modules/sla/probes.ts": ["nothing: asks the service itself whether it is ready"],
  "apps/control-plane/modules/zero-log/auditor.ts": ["table: zero_log_reports"],
  "apps/control-plane/modules/backups/worker.ts": ["table: backups"],
  "apps/control-plane/modules/backups/work/main.ts": ["table: backups"],
  "apps/control-plane/modules/backups/work/machine.ts": ["nothing: tells the command line what it did"],
  "apps/control-plane/modules/backups/work/count.ts": ["nothing: counts rows, for the manifest of a backup"],
  "apps/control-plane/modules/backups/work/note-restore.ts": ["audit: restored_from_backup"],
  "apps/control-plane/modules/backups/work/restored.ts": [
    "nothing: looks at what was restored into a folder of its own, which is gone afterwards",
  ],

  // The auditor, on the machine of the control plane
  "apps/auditor/main.ts": ["table: zero_log_reports"],
  "apps/auditor/run-program.ts": ["nothing: runs ip, wg and pg_dump; what they answer is searched"],
  "apps/auditor/service-calls.ts": ["nothing: asks the service as a made-up customer"],
  "apps/auditor/surfaces.ts": ["nothing: reads our own metrics"],
  "apps/auditor/tunnels.ts": ["nothing: writes configurations of made-up customers, for as long as it runs"],

  // The node agent
  "apps/node-agent/connection.ts": [
    "node protocol: [report]",
    "node protocol: [health]",
    "outgoing: node agent",
  ],
  "apps/node-agent/hardening/index.ts": ["file: settings before"],
  "apps/node-agent/hardening/logs.ts": ["file: log rules"],
  "apps/node-agent/hardening/sysctl.ts": ["nothing: switches settings of the kernel"],
  "apps/node-agent/hardening/wireguard-log.ts": ["nothing: switches the kernel's debug output off"],
  "apps/node-agent/host.ts": ["nothing: switches settings of the kernel"],
  "apps/node-agent/identity.ts": ["file: node.json"],
  "apps/node-agent/own-key.ts": ["file: next-credential"],
  "apps/node-agent/main.ts": ["log: node-agent"],
  "apps/node-agent/port.ts": ["nothing: tries whether a port is free"],
  "apps/node-agent/run-program.ts": [
    "nothing: runs wg, ip, nft, tc and tar; lends them files without names on a memory disk",
  ],
  "apps/node-agent/runtime.ts": ["nothing: a socket of the machine, by which one agent knows of another"],
  "apps/node-agent/state-file.ts": ["file: saved state"],
  "apps/node-agent/totals-file.ts": ["file: totals"],
  "apps/node-agent/upgrade-installation.ts": ["file: agent's versions"],
  "apps/node-agent/upgrade-release.ts": ["outgoing: agent's updates", "file: agent's versions"],

  // Drills: on processes and in folders of their own, with made-up customers
  "apps/drills/main.ts": ["nothing: a folder of its own, which goes when the drill ends"],
  "apps/drills/parts/node-process.ts": ["nothing: is a node of a drill's own service"],
  "apps/drills/parts/node.ts": ["nothing: a join token of a drill's own service"],
  "apps/drills/parts/programs.ts": ["nothing: starts programs for a drill"],
  "apps/drills/scenarios/backup-verify.ts": ["nothing: breaks a drill's own backups"],
  "apps/drills/scenarios/database-corruption.ts": ["nothing: breaks a drill's own store"],
  "apps/drills/scenarios/region-outage.ts": ["nothing: takes away a drill's own machine"],

  // Packages
  "packages/backup/archiving/receiver.ts": ["file: backups"],
  "packages/backup/database/connection.ts": ["nothing: asks the database for a copy of itself"],
  "packages/backup/restoring/log-files.ts": ["file: store"],
  "packages/backup/restoring/programs.ts": ["nothing: runs the database that is being restored"],
  "packages/backup/restoring/recovery.ts": ["file: store"],
  "packages/backup/restoring/restore.ts": ["file: store"],
  "packages/backup/restoring/tar.ts": ["file: store"],
  "packages/backup/targets/folder.ts": ["file: backups"],
  "packages/backup/targets/http.ts": ["outgoing: backup target"],
  "packages/contracts/client.ts": ["outgoing: api"],
  "packages/database/crash-writer.ts": ["nothing: is run by tests"],
  "packages/database/database-errors.ts": ["nothing: knows the driver's errors"],
  "packages/database/embedded.ts": ["file: store"],
  "packages/database/listener.ts": ["bus: node-changed"],
  "packages/database/migrate.ts": ["table: schema_migrations"],
  "packages/database/open.ts": ["table: accounts"],
  "packages/database/pools.ts": ["table: accounts"],
  "packages/database/postgres-process.ts": ["file: store"],
  "packages/database/postgres-tools.ts": ["file: store"],
  "packages/database/store-folder.ts": ["file: store"],
  "packages/database/value-types.ts": ["nothing: knows the driver's types"],
  "packages/forgetting/erasing-file.ts": ["file: ledger key", "file: data key"],
  "packages/high-availability/check.ts": ["nothing: asks members of a cluster which version they are"],
  "packages/high-availability/loopback/cluster.ts": ["nothing: is a cluster of a test or a drill"],
  "packages/high-availability/loopback/database-parts.ts": ["nothing: is a cluster of a test or a drill"],
  "packages/high-availability/loopback/folders.ts": ["nothing: is a cluster of a test or a drill"],
  "packages/high-availability/loopback/ledger.ts": ["nothing: is a cluster of a test or a drill"],
  "packages/high-availability/loopback/redis-client.ts": ["nothing: is a cluster of a test or a drill"],
  "packages/high-availability/loopback/replicas.ts": ["nothing: is a cluster of a test or a drill"],
  "packages/high-availability/main.ts": [
    "nothing: writes configurations of programs, where the operator says",
  ],
  "packages/jobs/queued.ts": ["table: jobs.job"],
  "packages/monitoring/teams-bridge.ts": ["outgoing: teams"],
  "packages/sentinel/blocklist/networks.ts": ["nothing: arithmetic of addresses"],
  "packages/sentinel/redis/connection.ts": ["redis: rate"],
  "packages/sentinel/redis/examine.ts": ["nothing: reads the settings of Redis"],
  "packages/sentinel/reputation/sources.ts": ["outgoing: reputation lists", "outgoing: alert heartbeat"],
  "packages/vault/transport.ts": ["outgoing: vault"],
  "packages/weak-passwords/hash-list.ts": ["nothing: reads a list"],
  "packages/wireguard/handshake.ts": ["outgoing: prober"],
  "packages/wireguard/uapi-socket.ts": ["nothing: asks WireGuard on the same machine"],
};
