import type { DrillReport, Scenario } from "@securewave/contracts";

const HOUR = 3600;

/** What must come back, how fast, and with how much: SPEC BACK-3. Each drill is held to the strictest that it is about. */
export const TARGETS: Readonly<Record<Scenario, DrillReport["target"]>> = {
  "database-corruption": { name: "Database, users and audit", rto_seconds: HOUR, rpo_seconds: HOUR },
  "region-outage": { name: "API, users and audit", rto_seconds: 2 * HOUR, rpo_seconds: HOUR },
  breach: { name: "API", rto_seconds: 2 * HOUR, rpo_seconds: HOUR },
  "node-loss": { name: "VPN servers and their configs", rto_seconds: 4 * HOUR, rpo_seconds: 24 * HOUR },
  "redis-loss": { name: "API", rto_seconds: 2 * HOUR, rpo_seconds: HOUR },
  "backup-verify": { name: "Database, users and audit", rto_seconds: HOUR, rpo_seconds: HOUR },
  failover: { name: "Database, users and audit", rto_seconds: HOUR, rpo_seconds: HOUR },
};
