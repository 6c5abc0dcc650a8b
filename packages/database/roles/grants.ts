import type { Tables } from "../tables.ts";
import type { ServiceLogin } from "./roles.ts";

export type Verb = (typeof VERBS)[number];
export const VERBS = ["select", "insert", "update", "delete"] as const;

/** To a whole table, or to some of its columns: `select (id, number)`. */
export type Right = Verb | `${"select" | "update"} (${string})`;

/** What each login may do with a table; what is not named it may not. */
export type Grant = Readonly<Partial<Record<ServiceLogin, readonly Right[]>>>;

const READ = ["select"] as const;
const ADD = ["select", "insert"] as const;
const EDIT = ["select", "update"] as const;
const KEEP = ["select", "insert", "update"] as const;
const LIST = ["select", "insert", "delete"] as const;
const ALL = VERBS;

/**
 * Every table. A row is locked by `select … for update` only with the right to update it, and a whole table only with
 * the right to write to it. What a foreign key or a cascade does is done by the table's owner.
 */
export const GRANTS: Readonly<Record<keyof Tables | "schema_migrations", Grant>> = {
  schema_migrations: { api: READ, worker: READ },

  // A node is told the plan of a device, and its preshared key, which opens by the account's number.
  accounts: { api: ALL, worker: ALL, ingress: ["select (id, number, plan_id)"] },
  plans: { api: ALL, worker: READ, ingress: READ },
  sessions: { api: ALL, worker: ALL },
  one_time_tokens: { api: LIST, worker: LIST },
  second_factors: { api: ALL, worker: ["select", "update", "delete"] },
  recovery_codes: { api: LIST, worker: READ },
  passkeys: { api: ALL, worker: EDIT },
  api_keys: { api: ALL, worker: ["select", "update", "delete"] },
  settings: { api: KEEP, worker: READ, ingress: READ },
  service_keys: { api: ADD, worker: EDIT, ingress: READ }, // the worker seals them anew when the key rotates
  signing_keys: { api: ALL, worker: ALL },
  encryption_keys: { api: ALL, worker: ALL },

  // Whoever may only put acts into the queue cannot rewrite what stands in the trail.
  audit_queue: { api: ADD, worker: LIST, ingress: ["insert"] },
  audit_entries: { api: READ, worker: KEEP },
  audit_tree: { api: READ, worker: EDIT },
  audit_checkpoints: { api: READ, worker: ADD },

  nodes: { api: KEEP, worker: EDIT, ingress: EDIT },
  address_pool: { api: KEEP, worker: EDIT },
  free_addresses: { api: ALL, worker: ALL },
  devices: { api: ALL, worker: ALL, ingress: READ },
  peers: { api: ALL, worker: ALL, ingress: READ },
  retiring_keys: { api: ALL, worker: ALL, ingress: READ },
  key_reminders: { api: EDIT, worker: EDIT },

  // A new account begins with an empty row. The daily rewriting replaces the tables, which only their owner can.
  usage_ledger: {
    api: ["select", "insert", "update (account_id)"],
    worker: ["select", "insert", "update (account_id)"],
  },
  usage_ledger_state: { api: READ, worker: READ },
  usage_ledger_marks: { api: READ, worker: READ },
  usage_history: { api: ["select", "delete"], worker: ["select", "delete"] },

  unsealed: { worker: ["select", "delete"] },
  data_key: { api: ADD, worker: READ },
  erasures: { api: ADD, worker: ADD },
  deletions: { api: ALL, worker: ALL },
  consents: { api: KEEP, worker: KEEP },
  policy_agreements: { api: LIST, worker: LIST },
  privacy_requests: { api: KEEP, worker: KEEP },
  zero_log_reports: { api: READ, worker: LIST },

  backups: { api: ALL, worker: ALL },
  backup_runs: { api: ALL, worker: ALL },
  backup_verifications: { api: ALL, worker: ALL },
  breaches: { api: ALL, worker: ALL },
  breach_entries: { api: ALL, worker: ALL },
  notices: { api: ALL, worker: ALL },
  drill_reports: { api: ALL, worker: ALL },
  alert_episodes: { api: ALL, worker: ALL },
  alert_silences: { api: ALL, worker: ALL },
  alert_watch: { api: ALL, worker: ALL },
  job_states: { api: ALL, worker: ALL },
  job_runs: { api: ALL, worker: ALL },
  dead_letters: { api: ALL, worker: ALL },
  availability_quarters: { api: ALL, worker: ALL },
  performance_quarters: { api: ALL, worker: ALL },
  availability_periods: { api: ALL, worker: ALL },
  performance_periods: { api: ALL, worker: ALL },
  incidents: { api: ALL, worker: ALL },
  incident_updates: { api: ALL, worker: ALL },
  maintenance_windows: { api: ALL, worker: ALL },
  maintenance_letters: { api: ALL, worker: ALL },
};

/** The tables of the job queue, all alike: they are the library's. */
export const QUEUE_SCHEMA = "jobs";
export const QUEUE_GRANT: Grant = { api: ALL, worker: ALL };
