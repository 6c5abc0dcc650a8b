export type { Role } from "./accounts.ts";
export { Account, accountErrors } from "./accounts.ts";
export { Alert, AlertEpisode, alertErrors, HealthDetails } from "./alerts.ts";
export { ApiKey, apiKeyErrors } from "./api-keys.ts";
export type { AuditKind } from "./audit.ts";
export { AUDIT_KINDS, AuditEntry, auditErrors } from "./audit.ts";
export type { BackupCheck, BackupVerification } from "./backups.ts";
export { BACKUP_KINDS, Backup, BackupKind, BackupRun, BackupState, backupErrors } from "./backups.ts";
export { Block, blockErrors } from "./blocks.ts";
export type { Credential } from "./breaches.ts";
export { Breach, BreachEntry, breachErrors, CREDENTIALS } from "./breaches.ts";
export type { CallInput, Client, ClientOptions } from "./client.ts";
export { ApiError, api, createClient } from "./client.ts";
export type { DatabaseAdvice, DatabaseMigration, DatabaseRole, SlowStatement } from "./database.ts";
export type { DeviceType, DeviceWithKeys } from "./devices.ts";
export { Connection, Device, DeviceWithTunnel, deviceErrors, Tunnel } from "./devices.ts";
export type { Scenario } from "./drills.ts";
export { DrillRecord, DrillReport, DrillSummary, drillErrors, SCENARIOS } from "./drills.ts";
export { refusals } from "./errors.ts";
export { DeadLetter, Job, JobRun, jobErrors } from "./jobs.ts";
export { keyErrors } from "./keys.ts";
export type { Alternative, NodeHealth, NodeHealthSample, NodeState } from "./nodes.ts";
export { Node, nodeErrors, Server, serverErrors } from "./nodes.ts";
export { formatSpeed, OwnPlan, Plan, planErrors } from "./plans.ts";
export {
  Deletion,
  PrivacyRequest,
  PrivacyState,
  privacyErrors,
  USAGE_HISTORY_TEXT,
  UsageDay,
} from "./privacy.ts";
export { requestErrors } from "./requests.ts";
export type { Access, BodyOf, ParamsOf, QueryOf, ResultOf, RouteSpec, RouteTree } from "./route.ts";
export { listRoutes } from "./route.ts";
export { Problem } from "./schemas.ts";
export type { Scope } from "./scopes.ts";
export { SCOPES } from "./scopes.ts";
export { Passkey, passkeyErrors, SecondFactor, secondFactorErrors } from "./second-factor.ts";
export { sentinelErrors } from "./sentinel.ts";
export { Settings, serviceErrors } from "./service.ts";
export { BrowserSession, LogIn, Session, sessionErrors } from "./sessions.ts";
export type { ServiceMinutes, SlaFigure, SlaMonth, SlaSeries } from "./sla.ts";
export { SLA_FIGURES } from "./sla.ts";
export type {
  ComponentState,
  Incident,
  IncidentState,
  Maintenance,
  MaintenanceMode,
  MaintenanceNow,
  ServiceStatus,
} from "./status.ts";
export { INCIDENT_STATES, MAINTENANCE_MODES, statusErrors } from "./status.ts";
export { Usage, UsageForStaff } from "./usage.ts";
export { ZeroLogProof, ZeroLogReport, ZeroLogRun, zeroLogErrors } from "./zero-log.ts";
