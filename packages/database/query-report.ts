import type { LogEvent, RootOperationNode } from "kysely";

export interface QueryReport {
  readonly kind: "select" | "insert" | "update" | "delete" | "merge" | "raw" | "other";
  /** The first table of the statement; undefined for raw SQL. */
  readonly table: string | undefined;
  readonly seconds: number;
  readonly isFailed: boolean;
}

const KINDS: Readonly<Record<string, QueryReport["kind"]>> = {
  SelectQueryNode: "select",
  InsertQueryNode: "insert",
  UpdateQueryNode: "update",
  DeleteQueryNode: "delete",
  MergeQueryNode: "merge",
  RawNode: "raw",
};

/** Reduces a query to what a metric may know. */
export function describeQuery({ level, query, queryDurationMillis }: LogEvent): QueryReport {
  return {
    kind: KINDS[query.query.kind] ?? "other",
    table: tableOf(query.query),
    seconds: queryDurationMillis / 1000,
    isFailed: level === "error",
  };
}

function tableOf(query: RootOperationNode): string | undefined {
  switch (query.kind) {
    case "SelectQueryNode":
    case "DeleteQueryNode":
      return nameOf(query.from?.froms[0]);
    case "InsertQueryNode":
    case "MergeQueryNode":
      return nameOf(query.into);
    case "UpdateQueryNode":
      return nameOf(query.table);
    default:
      return undefined;
  }
}

/** Finds the table below aliases; the nodes of Kysely's syntax tree carry their kind. */
function nameOf(node: object | undefined): string | undefined {
  if (node === undefined) return undefined;
  if ("table" in node && isNode(node.table)) return nameOf(node.table);
  if ("node" in node && isNode(node.node)) return nameOf(node.node);
  if ("identifier" in node && isNode(node.identifier)) return nameOf(node.identifier);
  return "name" in node && typeof node.name === "string" ? node.name : undefined;
}

function isNode(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
