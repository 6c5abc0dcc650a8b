import { describeDatabaseError, isDatabaseError } from "@securewave/database";
import { InvariantError, RefusalError } from "@securewave/foundation";
import { type DestinationStream, pino, stdTimeFunctions } from "pino";

/** The only fields a log line may have. None can hold an address, a person, a key or free text of a request. */
export interface LogFields {
  readonly method?: string;
  /** The pattern of a route, never a URL. */
  readonly route?: string;
  readonly status?: number;
  readonly milliseconds?: number;
  /** Code of a refusal. */
  readonly code?: string;
  readonly internal?: string;
  readonly nodeId?: string;
  readonly revision?: number;
  readonly count?: number;
  readonly job?: string;
  readonly error?: string;
}

export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export type LogLevel = "error" | "warn" | "info" | "debug";

/** Writes JSON lines to standard output, or to what is given. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const base = { level, base: null, timestamp: stdTimeFunctions.isoTime, messageKey: "event" };
  const log = destination ? pino(base, destination) : pino(base);
  return {
    debug: (event, fields) => log.debug(fields ?? {}, event),
    info: (event, fields) => log.info(fields ?? {}, event),
    warn: (event, fields) => log.warn(fields ?? {}, event),
    error: (event, fields) => log.error(fields ?? {}, event),
  };
}

const STACK_LINES = 6;

/**
 * What may be logged of any error: messages of others' errors can quote addresses, mails or parameters,
 * so of those only kind and place are kept.
 */
export function describeError(error: unknown): LogFields {
  if (error instanceof RefusalError) {
    return { code: error.code, ...(error.internal === undefined ? {} : { internal: error.internal }) };
  }
  if (isDatabaseError(error)) return { error: describeDatabaseError(error) };
  if (!(error instanceof Error)) return { error: typeof error };
  const code = "code" in error && typeof error.code === "string" ? ` ${error.code}` : "";
  const message = error instanceof InvariantError ? `: ${error.message}` : "";
  return { error: `${error.name}${code}${message} ${placesOf(error)}` };
}

function placesOf(error: Error): string {
  const lines = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return lines
    .slice(0, STACK_LINES)
    .map((line) => line.trim().replace(/file:\/\/\S*\/(?=(apps|packages|node_modules)\/)/, ""))
    .join(" ");
}
