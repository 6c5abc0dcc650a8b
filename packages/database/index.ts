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
export type { MigrateOptions, MigrateResult } from "./migrate.ts";
export { migrate } from "./migrate.ts";
export type { Database, DatabaseOptions, TransactionOptions } from "./open.ts";
export { notify, openDatabase } from "./open.ts";
export type { QueryReport } from "./query-report.ts";
export type { Tables } from "./tables.ts";
