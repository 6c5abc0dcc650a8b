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

const FIELD_TYPES: Readonly<Record<keyof LogFields, "string" | "number">> = {
  method: "string",
  route: "string",
  status: "number",
  milliseconds: "number",
  code: "string",
  internal: "string",
  nodeId: "string",
  revision: "number",
  count: "number",
  job: "string",
  error: "string",
};

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
  const writer = (at: LogLevel) => (event: string, fields?: LogFields) => {
    if (log.isLevelEnabled(at)) log[at](allowed(fields), printable(event));
  };
  return { debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") };
}

/** Longer than the six places of an error; more would be somebody's text. */
const TEXT_LENGTH_MAX = 2000;

/** Takes the fields of the list alone, in their types: an object may have more properties than its type says. */
function allowed(fields: LogFields | undefined): LogFields {
  const taken: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(fields ?? {})) {
    if (!Object.hasOwn(FIELD_TYPES, name) || typeof value !== FIELD_TYPES[name as keyof LogFields]) continue;
    taken[name] = typeof value === "string" ? printable(value) : value;
  }
  return taken;
}

const PLAIN = /^[\x20-\x7e]*$/;
/** JSON escapes line feeds, but viewers print them again; and it leaves C1 controls, which terminals obey. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

function printable(text: string): string {
  const whole = text.length > TEXT_LENGTH_MAX ? text.slice(0, TEXT_LENGTH_MAX) : text;
  return PLAIN.test(whole) ? whole : whole.replace(UNPRINTABLE, " ");
}

const PLACES_MAX = 6;
const ERROR_NAME = /^[A-Z][A-Za-z]{0,63}$/;
const ERROR_CODE = /^[A-Z][A-Z0-9_]{1,63}$/;
/** A frame of V8: `at name (place:line:column)`, or a place alone. */
const FRAME = /^at (?:([^()]{1,200}) \()?([^\s()]{1,500}:\d+:\d+)\)?$/;
/** Names as code has them: no part begins with a digit, as those of addresses do. */
const FUNCTION_NAME = /^(?:async |new )?[a-z_$#<][\w$#<>]*(?:\.[a-z_$#<][\w$#<>]*)*(?: \[as [a-z_$]\w*\])?$/i;
/** What of a path tells nothing of the machine. */
const KNOWN_PLACE = /(?:^|\/)((?:apps|packages|node_modules)\/.*)$|^(node:.*)$/;

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
  const name = ERROR_NAME.test(error.name) ? error.name : "Error";
  const code =
    "code" in error && typeof error.code === "string" && ERROR_CODE.test(error.code) ? ` ${error.code}` : "";
  const message = error instanceof InvariantError ? `: ${error.message}` : "";
  return { error: `${name}${code}${message} ${placesOf(error)}` };
}

/** Where it was thrown. The message comes first in a stack and may hold lines that look like places: it is cut off. */
function placesOf(error: Error): string {
  const { message, stack = "" } = error;
  const start = stack.indexOf(message);
  if (start === -1) return "somewhere";
  const lines = stack.slice(start + message.length).split("\n");
  const places = lines.map(placeOf).filter((place) => place !== undefined);
  return places.slice(0, PLACES_MAX).join(" ");
}

function placeOf(line: string): string | undefined {
  const [, name, place = ""] = FRAME.exec(line.trim()) ?? [];
  const [, below, builtin] = KNOWN_PLACE.exec(place) ?? [];
  const known = below ?? builtin;
  if (known === undefined) return undefined;
  return name !== undefined && FUNCTION_NAME.test(name) ? `at ${name} (${known})` : `at ${known}`;
}
