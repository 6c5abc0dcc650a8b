/** What stands in metrics and traces for a value that is on no list. @see OpenTelemetry's semantic conventions */
export const OTHER = "_OTHER";

/** Stands for the pattern of a route where no route was found. */
export const NO_ROUTE = "none";

/** The methods of RFC 9110 and RFC 5789 that routes are made for. */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

const QUERY_KINDS = ["select", "insert", "update", "delete", "merge", "raw"] as const;
/** Names of tables are written in the code; this is what PostgreSQL lets them be without quotes. */
const TABLE_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/** A value for a label: one of the list, or `_OTHER`. */
export function labelOf<const Value extends string>(
  list: readonly Value[],
  value: string,
): Value | typeof OTHER {
  return includes(list, value) ? value : OTHER;
}

export function queryLabelsOf(kind: string, table: string | undefined) {
  const operation = labelOf(QUERY_KINDS, kind);
  return { operation, table: table === undefined ? "none" : TABLE_NAME.test(table) ? table : OTHER };
}

function includes<Value extends string>(list: readonly Value[], value: string): value is Value {
  return (list as readonly string[]).includes(value);
}
