import type { Catalogue } from "../catalogue.ts";
import type { Finding } from "../finding.ts";
import { findInColumn } from "./columns.ts";
import type { ColumnFacts, RelationFacts, SchemaFacts } from "./schema-facts.ts";

const ROOMS_DIR = "packages/privacy/rooms";
const LIST_IT = `List it in ${ROOMS_DIR}, or do not keep it.`;

/** What PostgreSQL has of its own. */
const EXTENSIONS_ALLOWED: ReadonlySet<string> = new Set(["plpgsql"]);

/**
 * Holds a migrated schema against the catalogue.
 *
 * @returns nothing where every table and column is listed and none goes beyond what its entry says
 */
export function findInSchema(facts: SchemaFacts, catalogue: Catalogue): Finding[] {
  const findings = [
    ...facts.relations.flatMap((relation) => findInRelation(relation, catalogue)),
    ...facts.columns.flatMap((column) => findOfColumn(column, catalogue)),
    ...findGone(facts, catalogue),
    ...findUnsampledExpressions(facts, catalogue),
    ...findUnlistedTriggers(facts, catalogue),
    ...findAtLarge(facts),
  ];
  // Of a table with partitions it would be said for each.
  return [...new Map(findings.map((finding) => [`${finding.rule} ${finding.place}`, finding])).values()];
}

function findInRelation(relation: RelationFacts, catalogue: Catalogue): Finding[] {
  const { name: place, kind } = relation;
  const group = catalogue.find("table", place);
  const findings: Finding[] = [];
  const add = (rule: string, problem: string, mend: string) => findings.push({ rule, place, problem, mend });
  if (kind !== "table")
    add(
      "tables only",
      `is a ${kind}: what it shows or copies is not in the catalogue`,
      "Ask the tables in code.",
    );
  else if (group === undefined) add("listed tables", "is a table that the catalogue does not list", LIST_IT);
  if (relation.isUnlogged) {
    const mend =
      "ANALYZE copies samples of it into tables that are logged: keep it in memory (packages/live).";
    add("no unlogged tables", "is unlogged, which is no privacy", mend);
  }
  if (relation.logsWholeRows) {
    const mend = `alter table ${place} replica identity default`;
    add("no whole old rows", "writes whole old rows to the write-ahead log", mend);
  }
  if (
    group !== undefined &&
    group.whose !== "nobody" &&
    relation.droppedColumns > (group.droppedColumns ?? 0)
  ) {
    const mend = `Write the rows anew after dropping it (vacuum full ${place}), and count it in \`droppedColumns\`.`;
    add("dropped values are gone", "has a dropped column whose values still lie in its rows", mend);
  }
  return findings;
}

function findOfColumn(column: ColumnFacts, catalogue: Catalogue): Finding[] {
  const group = catalogue.find("table", column.table);
  if (group === undefined) return []; // said of the table
  const field = group.fields[column.name];
  if (field !== undefined) return findInColumn(column, group, field);
  const place = `${column.table}.${column.name}`;
  const unlisted = {
    rule: "listed columns",
    place,
    problem: "is a column that the catalogue does not list",
    mend: LIST_IT,
  };
  return [unlisted, ...findInColumn(column, group, undefined)];
}

/** An entry that stands for nothing would hide the next column of its name. */
function findGone(facts: SchemaFacts, catalogue: Catalogue): Finding[] {
  const tables = new Set(facts.relations.map(({ name }) => name));
  const columns = new Set(facts.columns.map(({ table, name }) => `${table}.${name}`));
  const mend = `Take it out of ${ROOMS_DIR}.`;
  return catalogue.of("table").flatMap(({ name, fields }) => {
    if (!tables.has(name))
      return [{ rule: "no stale entries", place: name, problem: "is listed and is no table", mend }];
    return Object.keys(fields)
      .map((field) => `${name}.${field}`)
      .filter((place) => !columns.has(place))
      .map((place) => ({ rule: "no stale entries", place, problem: "is listed and is no column", mend }));
  });
}

/** ANALYZE keeps samples of what indexes and statistics compute, whatever their column's own setting. */
function findUnsampledExpressions(facts: SchemaFacts, catalogue: Catalogue): Finding[] {
  return facts.sampledExpressions.flatMap(({ table, name, text }) => {
    const fields = catalogue.find("table", table)?.fields ?? {};
    const sampled = Object.entries(fields).filter(
      ([field, { isUnsampled }]) => isUnsampled && mentions(text, field),
    );
    return sampled.map(([field]) => ({
      rule: "no samples",
      place: `${table}.${field}`,
      problem: `is sampled by way of ${name}`,
      mend: `Drop ${name}.`,
    }));
  });
}

function mentions(expression: string, column: string): boolean {
  return new RegExp(`(?<![\\w$])${column}(?![\\w$])`).test(expression);
}

function findUnlistedTriggers({ triggers, rules }: SchemaFacts, catalogue: Catalogue): Finding[] {
  const unlisted = triggers.filter(
    ({ table, name }) => !catalogue.find("table", table)?.triggers?.includes(name),
  );
  return [
    ...unlisted.map(({ table, name }) => ({
      rule: "listed triggers",
      place: `${table}.${name}`,
      problem: "is a trigger that the catalogue does not list: it may write what no statement of ours says",
      mend: `List it in \`triggers\` of its table in ${ROOMS_DIR}, or do it in code.`,
    })),
    ...rules.map(({ table, name }) => ({
      rule: "no rewrite rules",
      place: `${table}.${name}`,
      problem: "is a rule that writes what no statement of ours says",
      mend: `drop rule ${name} on ${table}`,
    })),
  ];
}

function findAtLarge({ extensions, eventTriggers, publications, largeObjects }: SchemaFacts): Finding[] {
  const found = (rule: string, place: string, problem: string, mend: string): Finding => ({
    rule,
    place,
    problem,
    mend,
  });
  return [
    ...extensions
      .filter((name) => !EXTENSIONS_ALLOWED.has(name))
      .map((name) =>
        found(
          "known extensions",
          name,
          "is an extension, which may keep statements and values",
          `drop extension ${name}`,
        ),
      ),
    ...eventTriggers.map((name) =>
      found("listed triggers", name, "is an event trigger", `drop event trigger ${name}`),
    ),
    ...publications.map((name) =>
      found(
        "no publications",
        name,
        "sends changed rows elsewhere as they change",
        `drop publication ${name}`,
      ),
    ),
    ...(largeObjects > 0
      ? [
          found(
            "listed tables",
            "pg_largeobject",
            "holds large objects, which no entry names",
            "Keep bytes in a listed column.",
          ),
        ]
      : []),
  ];
}
