import { requestErrors } from "@securewave/contracts";
import { dayOf } from "@securewave/foundation";

/** Where the next page starts: after the row with these sort values. */
export type Position = readonly string[];

/** What a sort value is: a cursor of another list has others, which the store would choke on. */
export type SortValue = "text" | "day" | "instant" | "integer";

const LIMIT_DEFAULT = 50;

export interface PageRequest {
  readonly limit?: number;
  readonly cursor?: string;
  readonly search?: string;
}

/** What a store needs to read one page: one row more than shown tells whether there is a next page. */
export interface PageBounds {
  readonly rows: number;
  readonly after: Position | undefined;
  /** For `ilike`, or undefined where nothing is searched. */
  readonly pattern: string | undefined;
}

/** @throws request.invalid when the cursor is not one that a page answered with */
export function boundsOf(page: PageRequest, sortedBy: readonly SortValue[]): PageBounds {
  const after = page.cursor === undefined ? undefined : parseCursor(page.cursor);
  const isOfList =
    after?.length === sortedBy.length && sortedBy.every((kind, at) => IS_OF[kind](after[at] ?? ""));
  if (page.cursor !== undefined && !isOfList) {
    throw requestErrors.invalid({
      issues: [{ at: "query/cursor", message: "is not a cursor of this list" }],
    });
  }
  const search = page.search?.trim();
  return {
    rows: (page.limit ?? LIMIT_DEFAULT) + 1,
    after,
    pattern: search ? `%${search.replace(/[\\%_]/g, "\\$&")}%` : undefined,
  };
}

/** Cuts the extra row off and points at the next page. */
export function pageOf<Row, View>(
  rows: readonly Row[],
  bounds: PageBounds,
  position: (row: Row) => Position,
  view: (row: Row) => View,
): { items: View[]; next_cursor: string | null } {
  const shown = rows.slice(0, bounds.rows - 1);
  const last = shown.at(-1);
  const hasMore = rows.length === bounds.rows && last !== undefined;
  return {
    items: shown.map(view),
    next_cursor: hasMore ? Buffer.from(JSON.stringify(position(last))).toString("base64url") : null,
  };
}

const IS_OF: Readonly<Record<SortValue, (text: string) => boolean>> = {
  text: () => true,
  day: isDay,
  instant: (text) =>
    isDay(text.slice(0, 10)) && /^T[\d:]{8}\.\d{3}Z$/.test(text.slice(10)) && !Number.isNaN(Date.parse(text)),
  integer: (text) => /^\d{1,15}$/.test(text),
};

/** Of a year that PostgreSQL has: there is none of number 0. */
function isDay(text: string): boolean {
  if (!/^(?!0000)\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && dayOf(ms) === text;
}

function parseCursor(cursor: string): Position | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    const isPosition =
      Array.isArray(value) && value.every((part) => typeof part === "string" && !part.includes("\0"));
    return isPosition ? value : undefined;
  } catch {
    return undefined;
  }
}
