import { invariant } from "@securewave/foundation";
import pg from "pg";

const { INT8, DATE, TIMESTAMP } = pg.types.builtins;
/** Type numbers of arrays, src/include/catalog/pg_type.dat; `pg` has names for single values only. */
const [INT8_ARRAY, TIMESTAMP_ARRAY, DATE_ARRAY] = [1016, 1115, 1182] as const;

/**
 * How values of PostgreSQL become values of JavaScript: `int8` a number, which must be exact (an
 * amount above 2^53, nine petabytes, is a bug); days and times without zone the text they are, since a
 * `Date` would shift them by the machine's time zone; `timestamptz` a `Date`; `numeric` a text.
 */
export function createTypes(): pg.CustomTypesConfig {
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8, parseInt8);
  types.setTypeParser(DATE, String);
  types.setTypeParser(TIMESTAMP, String);
  types.setTypeParser(INT8_ARRAY, (text) => parseArray(text, parseInt8));
  types.setTypeParser(DATE_ARRAY, (text) => parseArray(text, String));
  types.setTypeParser(TIMESTAMP_ARRAY, (text) => parseArray(text, String));
  return types;
}

function parseInt8(text: string): number {
  const value = Number(text);
  invariant(Number.isSafeInteger(value), "an int8 from the database is an exact number");
  return value;
}

/** Parses `{1,NULL}` or `{"2026-01-01 00:00:00"}`: one dimension, of items without commas and quotes. */
function parseArray<Item>(text: string, parse: (item: string) => Item): (Item | null)[] {
  if (text === "{}") return [];
  const items = text.slice(1, -1).replaceAll('"', "").split(",");
  return items.map((item) => (item === "NULL" ? null : parse(item)));
}
