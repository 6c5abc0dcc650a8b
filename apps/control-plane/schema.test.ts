import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openTestDatabase } from "@securewave/database/testing";
import { afterAll, expect, test } from "vitest";

const database = await openTestDatabase();
afterAll(() => database.close());

interface Column {
  /** As in TypeScript, without `| null`. */
  readonly type: string;
  readonly isNullable: boolean;
  readonly hasDefault: boolean;
}
type Schema = Record<string, Record<string, Column>>;

const TYPES: Readonly<Record<string, string>> = {
  text: "string",
  date: "string",
  integer: "number",
  smallint: "number",
  bigint: "number",
  "double precision": "number",
  boolean: "boolean",
  bytea: "Buffer",
  jsonb: "unknown",
  "timestamp with time zone": "Date",
  ARRAY: "string[]",
};

/** Reads the interfaces of `tables.ts` as far as they go: a name and a type on each line. */
function readDeclared(): Schema {
  const text = readFileSync(fileURLToPath(import.meta.resolve("@securewave/database/tables")), "utf8");
  const interfaces = new Map(
    [...text.matchAll(/export interface (\w+) \{\n([^}]*)\}/g)].map(([, name = "", body = ""]) => [
      name,
      [...body.matchAll(/^ {2}(\w+): (.+);$/gm)].map(([, field = "", type = ""]) => [field, type] as const),
    ]),
  );
  const tables = interfaces.get("Tables") ?? [];
  return Object.fromEntries(
    tables.map(([table, interfaceName]) => {
      const columns = (interfaces.get(interfaceName) ?? []).map(([name, text]) => {
        const hasDefault = text.startsWith("Generated<");
        const plain = hasDefault ? text.slice("Generated<".length, -1) : text;
        const isNullable = plain.endsWith(" | null");
        const type = plain.replace(" | null", "");
        return [name, { type, isNullable, hasDefault }];
      });
      return [table, Object.fromEntries(columns)];
    }),
  );
}

async function readMigrated(): Promise<Schema> {
  const { rows } = await database.pool.query(`
    select c.table_name, c.column_name, c.data_type, c.is_nullable = 'YES' as is_nullable,
      (c.column_default is not null or c.is_identity = 'YES') as has_default,
      (select pg_get_constraintdef(k.oid) from pg_constraint k
        join pg_attribute a on a.attrelid = k.conrelid and k.conkey = array[a.attnum]
        where k.contype = 'c' and k.conrelid = format('%I', c.table_name)::regclass and a.attname = c.column_name
          and pg_get_constraintdef(k.oid) like '%ARRAY[%') as words
    from information_schema.columns c
    where c.table_schema = 'public' and c.table_name <> 'schema_migrations'
    order by c.table_name, c.ordinal_position`);
  const schema: Schema = {};
  for (const row of rows) {
    const words = [...(row.words ?? "").matchAll(/'([^']+)'::text/g)]
      .map(([, word]) => `"${word}"`)
      .join(" | ");
    schema[row.table_name] = {
      ...schema[row.table_name],
      [row.column_name]: {
        type: words || (TYPES[row.data_type] ?? row.data_type),
        isNullable: row.is_nullable,
        hasDefault: row.has_default,
      },
    };
  }
  return schema;
}

test("the migrated schema is what the code declares: tables, columns, types, words, nulls and defaults", async () => {
  const declared = readDeclared();
  expect(Object.keys(declared).length).toBeGreaterThan(8);
  expect(await readMigrated()).toEqual(declared);
});

/** A node's own matter: nobody's use shows in it. */
const INSTANTS_ALLOWED = ["nodes.join_token_expires_at"];

test("no column can hold an address, and none a time finer than a day that tells of a person", async () => {
  const { rows } = await database.pool.query(`
    select table_name || '.' || column_name as name, data_type from information_schema.columns
    where table_schema = 'public'`);
  const addresses = rows.filter(({ data_type }) =>
    ["inet", "cidr", "macaddr", "macaddr8"].includes(data_type),
  );
  const instants = rows
    .filter(({ data_type }) => /timestamp|^time|interval/.test(data_type))
    .map(({ name }) => name);
  expect(addresses).toEqual([]);
  expect(instants).toEqual(INSTANTS_ALLOWED);
  const telling = rows.filter(({ name }) =>
    /\.(updated_at|last_(?:seen|used|login|ip)|handshake|seen|ip$|ip_|bytes|rx|tx|origin_address)/.test(name),
  );
  expect(telling).toEqual([]);
});
