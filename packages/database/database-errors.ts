import pg from "pg";

/** SQLSTATE codes, PostgreSQL appendix A. */
const UNIQUE_VIOLATION = "23505";
const NOT_NULL_VIOLATION = "23502";
const SERIALIZATION_FAILURE = "40001";
const DEADLOCK_DETECTED = "40P01";
const LOCK_NOT_AVAILABLE = "55P03";

/** @returns the name of the constraint that a statement would have broken */
export function constraintOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.constraint : undefined;
}

export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return sqlStateOf(error) === UNIQUE_VIOLATION && constraintOf(error) === constraint;
}

/** @returns the column that may not be null and would have been */
export function notNullColumnOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError && error.code === NOT_NULL_VIOLATION ? error.column : undefined;
}

/** Whether the whole transaction may succeed when it is run again. */
export function isRetryable(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === SERIALIZATION_FAILURE || state === DEADLOCK_DETECTED;
}

export function isLockTimeout(error: unknown): boolean {
  return sqlStateOf(error) === LOCK_NOT_AVAILABLE;
}

export function sqlStateOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/**
 * Describes an error by names of the schema and of PostgreSQL's source alone, so that it can be logged:
 * the error's own texts quote values.
 */
export function describeDatabaseError(error: unknown): string {
  if (!(error instanceof pg.DatabaseError)) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return /^E[A-Z]+$/.test(code) ? `connection: ${code}` : "connection: failed";
  }
  const place = [error.table, error.column].filter(Boolean).join(".");
  const parts = [
    `SQLSTATE ${error.code}`,
    place && `on ${place}`,
    error.constraint && `by ${error.constraint}`,
    error.routine && `in ${error.routine}`,
    error.position && `at character ${error.position}`,
  ];
  return parts.filter(Boolean).join(" ");
}

/** Takes every text that may quote a value out of an error of PostgreSQL. Its codes and names stay. */
export function withoutValues(error: unknown): unknown {
  if (error instanceof pg.DatabaseError) {
    const { message } = error;
    error.message = describeDatabaseError(error);
    error.stack = error.stack?.replace(message, () => error.message) ?? error.message;
    for (const field of ["detail", "where", "hint", "internalQuery"] as const) delete error[field];
  }
  return error;
}

/**
 * Classes of SQLSTATE by which PostgreSQL says that it cannot serve at this moment: no connection (08), shutting down or
 * starting (57P), out of connections (53300), or no longer the one that leads (25006); or that a statement took too long
 * (57014), as those do that wait for a commit which waits for a standby.
 */
const AWAY_STATE = /^(08|57P|53300|25006|57014)/;

/** Whether the database could not be asked, or did not answer: what was to be changed may be so all the same. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== undefined) return AWAY_STATE.test(state);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const isFromPool =
    error instanceof Error &&
    /connection (timeout|terminated)|timeout exceeded when trying to connect|is not queryable/i.test(
      error.message,
    );
  return isFromPool || /^(ECONN|EPIPE|ENOENT|ETIMEDOUT)/.test(code);
}

export function isDatabaseError(error: unknown): boolean {
  return error instanceof pg.DatabaseError;
}
