import type { RefusalError } from "@securewave/foundation";
import type pg from "pg";
import { storeErrors } from "./errors.ts";

/**
 * What PostgreSQL writes down besides our rows: the values of statements as they run, among them customers' mail
 * addresses with the time to the millisecond; the values of those that fail, or exact times of rows that hold days;
 * or something of the service itself, whose address is all that PostgreSQL ever sees.
 */
export type LogWeight = "values" | "exposes" | "minor";

/** A setting of PostgreSQL that makes it write down more than it need. */
export interface LogFinding {
  readonly about: string;
  readonly weight: LogWeight;
  /** One sentence; safe to show. */
  readonly text: string;
  /** A statement of a superuser that mends it; `<role>` stands for the role of DATABASE_URL. */
  readonly mend: string;
}

/** Whether a database is used that writes down the values of statements as they run. */
export type LoggingPolicy = (typeof LOGGING_POLICIES)[number];
export const LOGGING_POLICIES = ["refused", "allowed"] as const;

/** Any role may set these for its sessions. */
const OWN_SETTINGS = {
  log_parameter_max_length_on_error: "0",
  debug_print_parse: "off",
  debug_print_rewritten: "off",
  debug_print_plan: "off",
} as const;

/** Only a superuser may, or a role that was granted each: `GRANT SET ON PARAMETER … TO …`, from PostgreSQL 15. */
const GRANTED_SETTINGS = {
  log_statement: "none",
  log_duration: "off",
  log_min_duration_statement: "-1",
  log_min_duration_sample: "-1",
  log_transaction_sample_rate: "0",
  log_parameter_max_length: "0",
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
  "auto_explain.log_min_duration": "-1",
  "pgaudit.log": "none",
} as const;

/** Read, and to be changed by whoever runs the server. */
const SERVER_SETTINGS = [
  "log_connections",
  "log_disconnections",
  "log_hostname",
  "log_line_prefix",
  "track_commit_timestamp",
  "pg_stat_statements.track",
  "pgaudit.log_parameter",
] as const;

const rowsOf = (settings: Readonly<Record<string, string>>, isOwn: boolean) =>
  Object.entries(settings).map(([name, value]) => `('${name}', '${value}', ${isOwn})`);

/** A `case` is evaluated in order: a name that the server does not know is not asked for its right. */
const QUIET_SESSION = `
  select set_config(name, wanted, false)
  from (values ${[...rowsOf(OWN_SETTINGS, true), ...rowsOf(GRANTED_SETTINGS, false)].join(", ")})
    as demands (name, wanted, is_own)
  where case
    when current_setting(name, true) is null then false
    when is_own then true
    else has_parameter_privilege(name, 'SET')
  end`;

/**
 * Makes a session write as little into PostgreSQL's log as its role may make it. What it may not is left, to be found by
 * `examineLogging`.
 */
export async function quieten(client: pg.ClientBase): Promise<void> {
  await client.query(QUIET_SESSION).catch(() => undefined); // what is wrong with the connection shows in its next query
}

/** Reads with which settings the sessions of a pool run, and what of it writes down too much. */
export async function examineLogging(pool: Pick<pg.Pool, "query">): Promise<readonly LogFinding[]> {
  const names = [...Object.keys(OWN_SETTINGS), ...Object.keys(GRANTED_SETTINGS), ...SERVER_SETTINGS];
  const { rows } = await pool.query<{ name: string; value: string | null }>(
    "select name, current_setting(name, true) as value from unnest($1::text[]) as name",
    [names],
  );
  const known = rows.flatMap(({ name, value }) => (value === null ? [] : [[name, value] as const]));
  return judgeLogging(new Map(known));
}

type Settings = ReadonlyMap<string, string>;

interface Rule {
  readonly about: string;
  readonly isBroken: (settings: Settings) => boolean;
  readonly weight: LogWeight | ((settings: Settings) => LogWeight);
  readonly otherwise: string;
  readonly mend: string;
}

/** A setting that the server does not have is quiet. */
function isOther(settings: Settings, name: string, ...quiet: string[]): boolean {
  const value = settings.get(name);
  return value !== undefined && !quiet.includes(value);
}
const other = (name: string, ...quiet: string[]) => ({
  about: name,
  isBroken: (settings: Settings) => isOther(settings, name, ...quiet),
});
const byGrant = (name: string) => ({ mend: `GRANT SET ON PARAMETER ${name} TO <role>` });
const byRole = (name: string, value: string) => ({ mend: `ALTER ROLE <role> SET ${name} = ${value}` });
const byServer = (name: string, value: string) => ({ mend: `ALTER SYSTEM SET ${name} = ${value}` });

/** PostgreSQL's levels from which on errors of statements are logged, table "Message Severity Levels". */
const LOGS_ERRORS = /^(debug[1-5]?|info|notice|warning|error)$/;
const logsErrors = (settings: Settings) => LOGS_ERRORS.test(settings.get("log_min_messages") ?? "");

function statements(name: string, ...quiet: string[]): Rule {
  return {
    ...other(name, ...quiet),
    weight: (settings) => (isOther(settings, "log_parameter_max_length", "0") ? "values" : "minor"),
    otherwise: "it logs statements as they run, with their values unless log_parameter_max_length is 0",
    ...byGrant(name),
  };
}

function onError(name: string, otherwise: string, weight: LogWeight, ...quiet: string[]): Rule {
  const isBroken = (settings: Settings) => logsErrors(settings) && isOther(settings, name, ...quiet);
  return { about: name, isBroken, weight, otherwise, ...byGrant(name) };
}

/**
 * Not looked at: `track_activity_query_size`, as what runs at this moment is in memory only and without its values;
 * `log_checkpoints`, `log_autovacuum_min_duration`, `log_lock_waits` and `log_temp_files`, whose lines name tables and
 * statements and no values.
 */
const RULES: readonly Rule[] = [
  statements("log_statement", "none", "ddl"),
  statements("log_min_duration_statement", "-1"),
  statements("log_min_duration_sample", "-1"),
  statements("log_transaction_sample_rate", "0"),
  {
    ...other("auto_explain.log_min_duration", "-1"),
    weight: "values",
    otherwise: "it logs plans, which quote values",
    ...byGrant("auto_explain.log_min_duration"),
  },
  {
    ...other("pgaudit.log", "none", ""),
    weight: (settings) => (isOther(settings, "pgaudit.log_parameter", "off") ? "values" : "minor"),
    otherwise: "it logs statements as they run, with their values unless pgaudit.log_parameter is off",
    ...byGrant("pgaudit.log"),
  },
  {
    ...other("debug_print_plan", "off"),
    weight: "values",
    otherwise: "it logs plans, which quote values",
    ...byRole("debug_print_plan", "off"),
  },
  onError("log_min_messages", "it logs errors, some of which quote a value", "exposes"),
  onError(
    "log_error_verbosity",
    "it logs details of errors, such as the mail address that is there already",
    "exposes",
    "terse",
  ),
  {
    ...onError("log_parameter_max_length_on_error", "it logs the values of what fails", "exposes", "0"),
    ...byRole("log_parameter_max_length_on_error", "0"),
  },
  onError("log_min_error_statement", "it logs the text of what fails", "minor", "panic", "fatal", "log"),
  {
    ...other("track_commit_timestamp", "off"),
    weight: "exposes",
    otherwise: "it keeps the exact time of every change of a row, where the row holds a day",
    ...byServer("track_commit_timestamp", "off"),
  },
  // What follows tells of the service alone: customers never reach PostgreSQL.
  {
    ...other("log_duration", "off"),
    weight: "minor",
    otherwise: "it logs when statements ran",
    ...byGrant("log_duration"),
  },
  ...["log_connections", "log_disconnections"].map((name) => ({
    ...other(name, "off", ""),
    weight: "minor" as const,
    otherwise: "it logs when the service connects, with the service's own address",
    ...byServer(name, "off"),
  })),
  {
    ...other("log_hostname", "off"),
    weight: "minor",
    otherwise: "it looks up the name of the service's own address",
    ...byServer("log_hostname", "off"),
  },
  {
    about: "log_line_prefix",
    isBroken: (settings) => /%[hr]/.test(settings.get("log_line_prefix") ?? ""),
    weight: "minor",
    otherwise: "each line of its log names the service's own address",
    ...byServer("log_line_prefix", "'%m [%p] '"),
  },
  {
    ...other("pg_stat_statements.track", "none"),
    weight: "minor",
    otherwise: "it counts how often each statement ran, without its values",
    ...byServer("pg_stat_statements.track", "none"),
  },
];

/** Judges settings, as `show` gives them. */
export function judgeLogging(settings: Settings): LogFinding[] {
  return RULES.filter(({ isBroken }) => isBroken(settings)).map(({ about, weight, otherwise, mend }) => ({
    about,
    weight: typeof weight === "function" ? weight(settings) : weight,
    text: `${about} is "${settings.get(about) ?? ""}": ${otherwise}.`,
    mend,
  }));
}

/** @returns those for which a database is not used */
export function refusedLogging(
  findings: readonly LogFinding[],
  policy: LoggingPolicy,
): readonly LogFinding[] {
  return policy === "allowed" ? [] : findings.filter(({ weight }) => weight === "values");
}

/** Puts into words why a database is not used and how that is mended, for its operator. */
export function loggingRefusal(refused: readonly LogFinding[], role: string): RefusalError {
  const quoted = `"${role.replaceAll('"', '""')}"`;
  const statements = new Set(refused.map(({ mend }) => mend.replace("<role>", () => quoted)));
  return storeErrors.logsValues({
    detail: [
      storeErrors.logsValues.message,
      ...refused.map(({ text }) => `  ${text}`),
      "Run as a superuser, so that the service can switch it off for its own sessions:",
      ...Array.from(statements, (statement) => `  ${statement};`),
      "or, so that values are left out of every line of this role:",
      `  ALTER ROLE ${quoted} SET log_parameter_max_length = 0;`,
      "To use it all the same, set DATABASE_LOGGING=allowed: health and the zero-log report then say so.",
    ].join("\n"),
    internal: refused.map(({ about }) => about).join(", "),
  });
}
