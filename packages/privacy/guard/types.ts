import type { Precision } from "../fields.ts";

/** Types of PostgreSQL that can hold a network address, or a machine's. */
export const ADDRESS_TYPES: ReadonlySet<string> = new Set(["inet", "cidr", "macaddr", "macaddr8"]);

/** Types finer than a day. */
export const FINE_TIMES: ReadonlySet<string> = new Set([
  "timestamp",
  "timestamptz",
  "time",
  "timetz",
  "interval",
]);

/** Types that tell when or in what order a row was written. */
export const TRANSACTION_TYPES: ReadonlySet<string> = new Set([
  "xid",
  "xid8",
  "pg_lsn",
  "pg_snapshot",
  "txid_snapshot",
]);

const NUMBERS = ["int2", "int4", "int8"];
const TEXTS = ["text", "varchar", "uuid"];
/** A closed list may be an enumeration of PostgreSQL's. */
const WORDS = ["text", "enum"];

/** The types that a column of a precision may be made of. None can tell more than the precision says. */
export const TYPES_OF: Readonly<Record<Precision, readonly string[]>> = {
  id: [...TEXTS, "int8"],
  word: WORDS,
  "given text": ["text"],
  text: ["text", "jsonb"],
  hash: ["bytea", "text"],
  sealed: ["bytea"],
  "public key": ["text", "bytea"],
  "pseudonym of the day": ["text", "bytea"],
  day: ["date"],
  month: ["int4", "text"],
  instant: [...FINE_TIMES],
  age: NUMBERS,
  order: NUMBERS,
  number: [...NUMBERS, "float8"],
  range: NUMBERS,
  "whole MiB": NUMBERS,
  flag: ["bool"],
  "tunnel address": ["text"],
  "network address": [],
  members: ["jsonb"],
};
