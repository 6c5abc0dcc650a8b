import type { Migration } from "./migration-files.ts";

/** What of a migration would hold up the running service, or break replicas of the release before. */
export interface MigrationFinding {
  readonly fileName: string;
  /** Of the statement's first line. */
  readonly line: number;
  /** What is wrong and what to do, in one sentence. */
  readonly text: string;
}

export interface Statement {
  readonly line: number;
  /** Without comments, in lower case, with single spaces; literals and bodies of functions are left out. */
  readonly text: string;
}

interface Place {
  readonly migration: Migration;
  /** The table that it changes exists since an earlier file, so that others use it. */
  readonly isUsed: (table: string) => boolean;
  readonly count: number;
}

interface Rule {
  /** The first group names the table, where there is one. */
  readonly pattern: RegExp;
  readonly isAllowed?: (place: Place, text: string, table: string) => boolean;
  readonly text: string;
}

const TABLE = '(?:if exists |only )*"?([a-z_]+)"?';
const isContract = ({ migration }: Place) => migration.phase === "contract";
const isNew = ({ isUsed }: Place, _text: string, table: string) => !isUsed(table);
const isNewOrContract = (place: Place, text: string, table: string) =>
  isContract(place) || isNew(place, text, table);
const alter = (what: string) => new RegExp(`^alter table ${TABLE} (?:.*, ?)?${what}`);

/** Each with the lock or the breach that it is about; PostgreSQL, "Explicit Locking" and "ALTER TABLE", Notes. */
const RULES: readonly Rule[] = [
  {
    pattern: new RegExp(`^create (?:unique )?index (?!concurrently)(?:if not exists )?\\S* ?on ${TABLE}`),
    isAllowed: isNew,
    text: "an index on a table in use keeps all writers waiting: `create index concurrently if not exists`, in a file of its own that begins with `-- no transaction`",
  },
  {
    pattern: /^create (?:unique )?index concurrently|^drop index concurrently/,
    isAllowed: ({ migration, count }) => !migration.isInTransaction && count === 1,
    text: "`concurrently` stands alone in a file that begins with `-- no transaction`",
  },
  {
    pattern: alter("drop (?!default|not null|identity|expression)"),
    isAllowed: isNewOrContract,
    text: "the release before still uses what is dropped here: do it in a file with `-- phase: contract`",
  },
  {
    pattern: /^drop (?:table|view|function|type|index(?! concurrently)) /,
    isAllowed: isContract,
    text: "the release before still uses what is dropped here: do it in a file with `-- phase: contract`",
  },
  {
    pattern: alter("rename "),
    isAllowed: isNew,
    text: "the release before knows the former name alone: add the new one, write both, and drop the former one later",
  },
  {
    pattern: alter(
      "add (?:column )?(?!constraint|check|foreign|unique|primary)(?:if not exists )?\\S+ (?:(?!, add)[^;])*\\bnot null\\b(?!(?:(?!, add).)*\\bdefault\\b)",
    ),
    isAllowed: (place, text, table) => isNew(place, text, table) || /\bdefault\b[^,]*\bnot null\b/.test(text),
    text: "the release before does not fill this column: give it a default, or let it be null",
  },
  {
    pattern: alter(
      "add (?:column )?[^;]*(?:default [^,]*(?:random|clock_timestamp|timeofday|gen_random_uuid|uuidv7|nextval)\\(|generated |\\b(?:small|big)?serial\\b)",
    ),
    isAllowed: isNew,
    text: "this default differs from row to row, so that the whole table is written anew while nobody reads it: add the column empty and fill it by a job",
  },
  {
    pattern: alter("alter (?:column )?\\S+ (?:set data )?type "),
    isAllowed: isNew,
    text: "the whole table is written anew while nobody reads it: add a column of the new type, and fill it by a job",
  },
  {
    pattern: alter("alter (?:column )?\\S+ set not null"),
    isAllowed: isNewOrContract,
    text: "the release before may write null, and all rows are read under a lock: add `check (… is not null) not valid`, validate it in the next file, and set it in a file with `-- phase: contract`",
  },
  {
    pattern: alter("add (?:constraint \\S+ )?(?:foreign key|check)(?!.*\\bnot valid\\b)"),
    isAllowed: isNew,
    text: "all rows are read under a lock: add it `not valid`, and `validate constraint` in the next file",
  },
  {
    pattern: alter("add (?:column )?[^;]*\\breferences\\b(?!.*\\bnot valid\\b)"),
    isAllowed: isNew,
    text: "a foreign key locks both tables: add the column first, then the constraint `not valid`, and validate it in the next file",
  },
  {
    pattern: alter("add (?:constraint \\S+ )?(?:unique|primary key)(?! using index)"),
    isAllowed: isNew,
    text: "its index is built under a lock: build it concurrently in the file before, and add the constraint `using index`",
  },
  {
    pattern: new RegExp(`^(?:update|delete from) ${TABLE}`),
    isAllowed: isNew,
    text: "rows in use stay locked until the end: fill them by a job, some at a time",
  },
  {
    pattern:
      /^(?:vacuum full|cluster|truncate|lock(?: table)?|reindex(?!.* concurrently)|refresh materialized view(?! concurrently))\b/,
    text: "everybody else waits for the whole table",
  },
  {
    pattern: /^(?:begin|start transaction|commit|rollback|end)\b/,
    text: "the runner begins and ends the transaction",
  },
];

/** Judges all files that landed since there are phases, each by the tables that the files before it have made. */
export function examineMigrations(migrations: readonly Migration[]): MigrationFinding[] {
  const made = new Set<string>();
  return migrations.flatMap((migration) => {
    const statements = splitStatements(migration.text);
    const own = statements.flatMap(
      ({ text }) => /^create table (?:if not exists )?"?([a-z_]+)"?/.exec(text)?.[1] ?? [],
    );
    const place = { migration, isUsed: (table: string) => made.has(table), count: statements.length };
    const findings = migration.phase === "early" ? [] : statements.flatMap((each) => judge(each, place));
    for (const table of own) made.add(table);
    return [...judgeHeader(migration, statements), ...findings];
  });
}

function judge({ line, text }: Statement, place: Place): MigrationFinding[] {
  return RULES.filter(({ pattern, isAllowed }) => {
    const found = pattern.exec(text);
    return found !== null && !isAllowed?.(place, text, found[1] ?? "");
  }).map((rule) => ({ fileName: place.migration.fileName, line, text: rule.text }));
}

function judgeHeader(
  { fileName, text, isInTransaction }: Migration,
  statements: readonly Statement[],
): MigrationFinding[] {
  const word = /^-- phase:\s*(.*)$/m.exec(text)?.[1];
  const wrong = (what: string) => ({ fileName, line: 1, text: what });
  return [
    ...(word === undefined || /^(expand|contract)$/.test(word)
      ? []
      : [wrong("a phase is `expand` or `contract`, and the line says nothing else")]),
    ...(isInTransaction || statements.length === 1
      ? []
      : [wrong("a file without a transaction holds one statement, so that it can be tried again")]),
  ];
}

const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|\$(\w*)\$[\s\S]*?\$\1\$|begin atomic[\s\S]*?\bend\b|;|\s+|[^\s;]/gi;

/** Splits a file at its semicolons, which may also stand in comments, literals and bodies of functions. */
export function splitStatements(text: string): Statement[] {
  const statements: Statement[] = [];
  let line = 1;
  let first = 0;
  let current = "";
  const end = () => {
    if (current.trim()) statements.push({ line: first, text: current.trim().toLowerCase() });
    current = "";
  };
  for (const [piece] of text.matchAll(TOKEN)) {
    const word = plainOf(piece);
    if (!current && word !== " ") first = line;
    if (piece === ";") end();
    else if (current || word !== " ") current = `${current}${word}`.replace(/ +$/, " ");
    line += piece.split("\n").length - 1;
  }
  end();
  return statements;
}

/** A comment or space as one space; a literal or a body without what it holds. */
function plainOf(piece: string): string {
  if (/^(?:--|\/\*|\s)/.test(piece)) return " ";
  return /^(?:['$]|begin atomic)/i.test(piece) && piece.length > 1 ? "''" : piece;
}
