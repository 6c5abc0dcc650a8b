import type { AlertRule } from "../rule.ts";
import { gaugeRule } from "./gauge-rule.ts";

const BUSY = "securewave_database_connections_busy";
const OPEN_MAX = "securewave_database_connections_max";
const connections = (busy: number) => [
  { metric: BUSY, from: busy },
  { metric: OPEN_MAX, from: 100 },
];

/** The database, Redis, and whether the service can be reached at all. */
export const storeRules: readonly AlertRule[] = [
  {
    name: "ServiceDown",
    group: "service",
    severity: "critical",
    when: { quantity: { kind: "scraped" }, below: 1 },
    forMinutes: 1,
    summary: "The service does not answer on its port for metrics",
    advice: "See whether its process runs, and what its log ends with.",
    fires: [{ metric: "up", labels: { job: "securewave", instance: "a" }, from: 0 }],
    quiet: [{ metric: "up", labels: { job: "securewave", instance: "a" }, from: 1 }],
  },
  gaugeRule("database", {
    name: "DatabaseDown",
    severity: "critical",
    metric: "securewave_database_down",
    above: 0,
    forMinutes: 1,
    summary: "The database does not answer",
    advice: "See whether PostgreSQL runs and has room on its disk; tunnels go on meanwhile.",
  }),
  {
    name: "DatabaseConnectionsShort",
    group: "database",
    severity: "warning",
    when: { quantity: { kind: "share", part: BUSY, of: OPEN_MAX }, above: 0.9 },
    forMinutes: 10,
    summary: "More than nine in ten of the connections to the database are in use",
    advice:
      "Look for slow queries first; raise DATABASE_POOL_MAX only while the database has connections to spare.",
    fires: connections(95),
    quiet: connections(90),
  },
  gaugeRule("database", {
    name: "ReplicationLags",
    severity: "warning",
    metric: "securewave_database_replication_lag_seconds",
    above: 30,
    forMinutes: 5,
    summary: "A standby of the database is more than 30 seconds behind",
    advice: "See whether the standby runs, and how full its disk and the network are.",
  }),
  gaugeRule("database", {
    name: "StoresWriteDown",
    severity: "critical",
    metric: "securewave_demands_unmet",
    above: 0,
    forMinutes: 1,
    summary: "The database or Redis writes down what it must not",
    advice: "`securewave status` names the setting; put it back, then remove what was written.",
  }),
  gaugeRule("redis", {
    name: "RedisDown",
    severity: "warning",
    metric: "securewave_redis_down",
    above: 0,
    forMinutes: 2,
    summary: "Redis does not answer, so each process counts limits and blocks for itself",
    advice: "Start it again; nothing that was in it needs to be brought back.",
  }),
];
