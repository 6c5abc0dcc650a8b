import type { Generated } from "kysely";

/** Every table as code sees it; a test holds this against the migrated schema. */
export interface Tables {
  accounts: AccountsTable;
  plans: PlansTable;
  sessions: SessionsTable;
  one_time_tokens: OneTimeTokensTable;
  second_factors: SecondFactorsTable;
  recovery_codes: RecoveryCodesTable;
  passkeys: PasskeysTable;
  api_keys: ApiKeysTable;
  settings: SettingsTable;
  service_keys: ServiceKeysTable;
  audit_queue: AuditQueueTable;
  audit_entries: AuditEntriesTable;
  audit_tree: AuditTreeTable;
  audit_checkpoints: AuditCheckpointsTable;
  signing_keys: SigningKeysTable;
  encryption_keys: EncryptionKeysTable;
  nodes: NodesTable;
  address_pool: AddressPoolTable;
  free_addresses: FreeAddressesTable;
  devices: DevicesTable;
  peers: PeersTable;
  retiring_keys: RetiringKeysTable;
  key_reminders: KeyRemindersTable;
  usage_ledger: UsageLedgerTable;
  usage_ledger_state: UsageLedgerStateTable;
  usage_ledger_marks: UsageLedgerMarksTable;
  unsealed: UnsealedTable;
  data_key: DataKeyTable;
  erasures: ErasuresTable;
  deletions: DeletionsTable;
  consents: ConsentsTable;
  usage_history: UsageHistoryTable;
  policy_agreements: PolicyAgreementsTable;
  privacy_requests: PrivacyRequestsTable;
  zero_log_reports: ZeroLogReportsTable;
  alert_episodes: AlertEpisodesTable;
  alert_silences: AlertSilencesTable;
  alert_watch: AlertWatchTable;
  job_states: JobStatesTable;
  job_runs: JobRunsTable;
  dead_letters: DeadLettersTable;
  availability_quarters: AvailabilityQuartersTable;
  performance_quarters: PerformanceQuartersTable;
  availability_periods: AvailabilityPeriodsTable;
  performance_periods: PerformancePeriodsTable;
  incidents: IncidentsTable;
  incident_updates: IncidentUpdatesTable;
  maintenance_windows: MaintenanceWindowsTable;
  maintenance_letters: MaintenanceLettersTable;
  backups: BackupsTable;
  backup_verifications: BackupVerificationsTable;
  backup_runs: BackupRunsTable;
  breaches: BreachesTable;
  breach_entries: BreachEntriesTable;
  notices: NoticesTable;
  drill_reports: DrillReportsTable;
}

export interface AccountsTable {
  id: string;
  role: "customer" | "support" | "admin";
  state: "unverified" | "active" | "suspended";
  devices_active: Generated<number>;
  created_on: string;
  plan_id: Generated<string>;
  number: number;
  email_index: Buffer;
  email_sealed: Buffer;
  password_sealed: Buffer;
}

export interface PlansTable {
  id: string;
  name: string;
  quota_bytes: number | null;
  on_quota: Generated<"throttle" | "block">;
  throttle_kbit_per_second: Generated<number>;
  connections_max: number | null;
  devices_max: number | null;
  is_default: Generated<boolean>;
  is_retired: Generated<boolean>;
  tier: Generated<number>;
  speed_kbit_per_second: number | null;
  server_tags: Generated<string[]>;
}

export interface SessionsTable {
  id: string;
  account_id: string;
  refresh_hash: Buffer;
  previous_hash: Buffer | null;
  expires_on: string;
  kind: "browser" | "program";
  created_on: string;
}

export interface SecondFactorsTable {
  account_id: string;
  sealed_secret: Buffer;
  is_confirmed: Generated<boolean>;
  last_step_hash: Buffer | null;
  created_on: string;
}

export interface RecoveryCodesTable {
  account_id: string;
  hash: Buffer;
}

export interface PasskeysTable {
  id: string;
  account_id: string;
  credential_id: Buffer;
  public_key: Buffer;
  counter: number;
  transports: Generated<string[]>;
  is_synced: boolean;
  created_on: string;
  name_sealed: Buffer;
}

export interface ApiKeysTable {
  id: string;
  account_id: string;
  hash: Buffer;
  previous_hash: Buffer | null;
  previous_until: string | null;
  scopes: string[];
  requests_per_minute: number;
  created_on: string;
  expires_on: string;
  name_sealed: Buffer;
}

export interface OneTimeTokensTable {
  hash: Buffer;
  purpose: "setup" | "verify_email" | "reset_password";
  account_id: string | null;
  expires_on: string;
}

export interface SettingsTable {
  name: string;
  value: unknown;
}

export interface ServiceKeysTable {
  name: string;
  public_key: string;
  sealed_private_key: Buffer;
}

export interface NodesTable {
  id: string;
  name: string;
  region: string;
  latitude: number | null;
  longitude: number | null;
  capacity: number;
  tags: Generated<string[]>;
  is_draining: Generated<boolean>;
  endpoint_host: string | null;
  endpoint_port: number | null;
  wireguard_public_key: string | null;
  credential: string | null;
  agent_version: string | null;
  join_token_hash: Buffer | null;
  join_token_expires_at: Date | null;
  joined_on: string | null;
  devices: Generated<number>;
  revision: Generated<number>;
  pruned_revision: Generated<number>;
  counting: Generated<"trusted" | "quarantined" | "lifted">;
  removed_on: string | null;
  cloned_on: string | null;
  is_credential_due: Generated<boolean>;
}

export interface AddressPoolTable {
  id: Generated<boolean>;
  next_index: number;
  last_index: number;
}

export interface FreeAddressesTable {
  address_index: number;
  released: Generated<number>;
}

export interface DevicesTable {
  id: string;
  account_id: string;
  type: "phone" | "tablet" | "laptop" | "desktop" | "router" | "other";
  state: "active" | "revoked";
  public_key: string;
  key_origin: "customer" | "server";
  sealed_private_key: Buffer | null;
  preshared_key_master: number | null;
  address_index: number | null;
  node_id: string | null;
  created_on: string;
  name_index: Buffer;
  name_sealed: Buffer;
  key_version: Generated<number>;
  key_made_on: Generated<string>;
  rotation_days: number | null;
  preshared_key_sealed: Buffer | null;
}

export interface PeersTable {
  node_id: string;
  public_key: string;
  device_id: string | null;
  revision: number;
  is_removed: Generated<boolean>;
  retires_on: string | null;
}

export interface RetiringKeysTable {
  public_key: string;
  device_id: string;
  address_index: number;
  preshared_key_master: number | null;
  preshared_key_sealed: Buffer | null;
  retires_on: string;
}

export interface KeyRemindersTable {
  id: Generated<boolean>;
  reminded_on: string | null;
}

export interface SigningKeysTable {
  kid: string;
  algorithm: "HS256" | "EdDSA";
  sealed_key: Buffer;
  created_on: string;
  retires_on: string | null;
}

export interface EncryptionKeysTable {
  number: number;
  sealed_key: Buffer;
  state: "arriving" | "sealing" | "opening";
  created_on: string;
}

export interface AuditQueueTable {
  id: Generated<number>;
  salt: Buffer;
  body: unknown;
}

export interface AuditEntriesTable {
  index: number;
  leaf: Buffer;
  salt: Buffer | null;
  body: unknown | null;
}

export interface AuditTreeTable {
  id: Generated<boolean>;
  size: Generated<number>;
  frontier: Generated<Buffer>;
}

export interface AuditCheckpointsTable {
  size: number;
  note: string;
}

export interface UnsealedTable {
  place: string;
  row_id: string;
  account_id: string;
  value: string;
}

export interface DataKeyTable {
  id: Generated<boolean>;
  fingerprint: Buffer;
}

export interface ErasuresTable {
  number: number;
  erased_on: string;
}

export interface DeletionsTable {
  account_id: string;
  asked_on: string;
  due_on: string;
}

export interface ConsentsTable {
  id: string;
  account_id: string;
  purpose: "usage_history";
  text_version: string;
  given_on: string;
  withdrawn_on: string | null;
  number: number | null;
}

export interface UsageHistoryTable {
  account_id: string;
  day: string;
  mebibytes_sealed: Buffer;
}

export interface PolicyAgreementsTable {
  account_id: string;
  version: string;
  agreed_on: string;
}

export interface PrivacyRequestsTable {
  id: string;
  account_id: string | null;
  kind: "export" | "deletion" | "other";
  state: "open" | "done" | "refused";
  text_sealed: Buffer | null;
  asked_on: string;
  due_on: string;
  closed_on: string | null;
}

export interface UsageLedgerTable {
  account_id: string;
  sealed: Generated<Buffer>;
}

export interface UsageLedgerStateTable {
  id: Generated<boolean>;
  generation: Generated<number>;
  flushed_on: string | null;
}

export interface UsageLedgerMarksTable {
  page: number;
  sealed: Buffer;
}

export interface ZeroLogReportsTable {
  number: number;
  made_on: string;
  outcome: "clean" | "leaking" | "incomplete";
  hits: number;
  note: string;
}

export interface BreachesTable {
  id: string;
  summary: string;
  opened_at: Date;
  closed_at: Date | null;
}

export interface BreachEntriesTable {
  breach_id: string;
  number: number;
  at: Date;
  kind: "opened" | "isolated" | "rotated" | "noted" | "notified" | "reopened" | "closed";
  detail: string;
}

export interface NoticesTable {
  id: string;
  number: Generated<number>;
  subject: string;
  text: string;
  node_id: string | null;
  asked_on: string;
  letters: Generated<number>;
  reached: Generated<string>;
  is_complete: Generated<boolean>;
}

export interface DrillReportsTable {
  number: number;
  id: string;
  scenario: string;
  outcome: "met" | "missed" | "failed";
  carried_out_on: string;
  rto_seconds: number;
  rpo_seconds: number;
  note: string;
}

export interface BackupsTable {
  id: string;
  kind: "database" | "config" | "vpn";
  taken_at: Date;
  version: string;
  size_bytes: number;
  objects: number;
  counts: unknown;
}

export interface BackupVerificationsTable {
  number: number;
  backup_id: string;
  verified_at: Date;
  outcome: "passed" | "failed";
  checks: unknown;
}

export interface BackupRunsTable {
  number: number;
  act: "back_up" | "verify" | "clean_up" | "restore";
  begun_at: Date;
  ended_at: Date;
  succeeded: number;
  failed: number;
  backup_ids: string[];
  problem: string | null;
  restored_to: Date | null;
}

export interface AvailabilityQuartersTable {
  starts_at: Date;
  component: string;
  up: number;
  degraded: number;
  down: number;
  maintenance: number;
}

export interface PerformanceQuartersTable {
  starts_at: Date;
  process: string;
  requests_floor: number;
  mean_ms: number;
  p95_ms: number;
  error_share: number;
  probe_ms: number;
  query_ms: number;
  processor: number;
  memory: number;
}

export interface AvailabilityPeriodsTable {
  period: "hour" | "day";
  starts_at: Date;
  component: string;
  up_minutes: number;
  degraded_minutes: number;
  down_minutes: number;
  maintenance_minutes: number;
}

export interface PerformancePeriodsTable {
  period: "hour" | "day";
  starts_at: Date;
  requests_floor: number;
  mean_ms: number;
  p95_ms: number;
  error_share: number;
  probe_ms: number;
  query_ms: number;
  processor: number;
  memory: number;
}

export interface IncidentsTable {
  id: string;
  title: string;
  state: "investigating" | "identified" | "monitoring" | "resolved";
  components: unknown;
  opened_at: Date;
  resolved_at: Date | null;
}

export interface IncidentUpdatesTable {
  id: string;
  incident_id: string;
  state: "investigating" | "identified" | "monitoring" | "resolved";
  text: string;
  posted_at: Date;
  is_edited: Generated<boolean>;
}

export interface MaintenanceWindowsTable {
  id: string;
  title: string;
  text: string;
  starts_at: Date;
  ends_at: Date;
  announced_at: Date;
  components: string[];
  mode: "off" | "read-only" | "closed";
  is_emergency: boolean;
  notifies: boolean;
  is_cancelled: Generated<boolean>;
}

export interface MaintenanceLettersTable {
  window_id: string;
  kind: "announced" | "reminder" | "changed" | "cancelled";
  reached: Generated<string>;
  is_done: Generated<boolean>;
}

export interface JobStatesTable {
  name: string;
  known_since: Date;
  scheduled_at: Date;
  requests: Generated<number>;
  requests_done: Generated<number>;
  cause: Generated<"clock" | "staff" | "act">;
  attempts: Generated<number>;
  retry_at: Date | null;
  holder: string | null;
  beats: Generated<number>;
  progress_done: number | null;
  progress_total: number | null;
  progress_what: string | null;
  succeeded_at: Date | null;
}

export interface JobRunsTable {
  name: string;
  number: number;
  started_at: Date;
  cause: "clock" | "staff";
  attempt: number;
  result: "running" | "succeeded" | "failed" | "interrupted";
  code: string | null;
  duration_ms: number | null;
}

export interface DeadLettersTable {
  id: string;
  job: string;
  account_id: string | null;
  data: unknown;
  failed_on: string;
  attempts: number;
  code: string | null;
}

export interface AlertEpisodesTable {
  name: string;
  began_at: Date;
  ended_at: Date | null;
  severity: "critical" | "warning";
  is_told: boolean;
}

export interface AlertSilencesTable {
  name: string;
  reason: string;
  until_at: Date;
}

export interface AlertWatchTable {
  id: Generated<boolean>;
  holder: string;
  judged_at: Date;
}
