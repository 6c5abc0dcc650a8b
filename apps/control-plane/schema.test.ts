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

/** The clock's own, and acts of staff that everybody is shown. */
const INSTANTS_OF_STATUS = [
  "availability_periods.starts_at",
  "availability_quarters.starts_at",
  "incident_updates.posted_at",
  "incidents.opened_at",
  "incidents.resolved_at",
  "maintenance_windows.announced_at",
  "maintenance_windows.ends_at",
  "maintenance_windows.starts_at",
  "performance_periods.starts_at",
  "performance_quarters.starts_at",
];
/** Made by the clock or by staff. */
const INSTANTS_OF_BACKUPS = [
  "backup_runs.begun_at",
  "backup_runs.ended_at",
  "backup_runs.restored_to",
  "backup_verifications.verified_at",
  "backups.taken_at",
];
/** What staff did about a breach, and when. */
const INSTANTS_OF_BREACHES = ["breach_entries.at", "breaches.closed_at", "breaches.opened_at"];
/** When the clock has a job begin, or staff; what a customer's act begins leaves no time. */
const INSTANTS_OF_JOBS = [
  "job_runs.started_at",
  "job_states.known_since",
  "job_states.retry_at",
  "job_states.scheduled_at",
  "job_states.succeeded_at",
];
/** To the minute: what the service found out about itself, and how long staff want to hear no more of it. */
const INSTANTS_OF_ALERTS = [
  "alert_episodes.began_at",
  "alert_episodes.ended_at",
  "alert_silences.until_at",
  "alert_watch.judged_at",
];
/** That of a join token is a node's own matter: nobody's use shows in it. */
const INSTANTS_ALLOWED = [
  "nodes.join_token_expires_at",
  ...INSTANTS_OF_ALERTS,
  ...INSTANTS_OF_BACKUPS,
  ...INSTANTS_OF_BREACHES,
  ...INSTANTS_OF_JOBS,
  ...INSTANTS_OF_STATUS,
];

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
  expect(instants.sort()).toEqual(INSTANTS_ALLOWED.sort());
  const telling = rows.filter(({ name }) =>
    /\.(updated_at|last_(?:seen|used|login|ip)|handshake|seen|ip$|ip_|bytes|rx|tx|origin_address)/.test(name),
  );
  expect(telling).toEqual([]);
});
