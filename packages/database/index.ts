export type { Credentials, CredentialsSource } from "./credentials.ts";
export {
  constraintOf,
  describeDatabaseError,
  isDatabaseError,
  isDatabaseUnavailable,
  isUniqueViolation,
  notNullColumnOf,
} from "./database-errors.ts";
export type { LogFinding, LoggingPolicy } from "./demands.ts";
export { examineLogging, LOGGING_POLICIES, loggingRefusal, refusedLogging } from "./demands.ts";
export type { EmbeddedOptions, EmbeddedPostgres } from "./embedded.ts";
export { openEmbeddedPostgres } from "./embedded.ts";
export { storeErrors } from "./errors.ts";
export type { ListenHandlers } from "./listener.ts";
export type { MigrateOptions, MigrateResult, MigrationsPolicy } from "./migrate.ts";
export { listMigrations, MIGRATIONS_POLICIES, migrate } from "./migrate.ts";
export type { Database, DatabaseOptions, TransactionOptions } from "./open.ts";
export { notify, openDatabase } from "./open.ts";
export type { Logins } from "./pools.ts";
export type { QueryReport } from "./query-report.ts";
export { applyGrants, findDifferences, findRoles } from "./roles/apply.ts";
export type { Login, ServiceLogin } from "./roles/roles.ts";
export { OWNER_ROLE, ROLES, roleOf, SERVICE_LOGINS } from "./roles/roles.ts";
export { rightsOf, rolesSql } from "./roles/statements.ts";
export type { Advice } from "./settings-advice.ts";
export { examineSettings } from "./settings-advice.ts";
export type { SlowStatement } from "./slow-statements.ts";
export type { Tables } from "./tables.ts";
