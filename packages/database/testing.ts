import { randomBytes } from "node:crypto";
import { invariant } from "@securewave/foundation";
import { urlWith } from "./credentials.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./open.ts";
import type { Logins } from "./pools.ts";
import { roleOf, SERVICE_LOGINS } from "./roles/roles.ts";
import { runOn, withDatabase } from "./testing-global-setup.ts";

export interface TestDatabase extends Database {
  /** For code under test that opens the database by itself. */
  readonly url: string;
  /** Empties what tests have written to, and starts identities anew. Tables that migrations fill stay as they are. */
  truncateAll(): Promise<void>;
  /** Closes it and drops it. */
  close(): Promise<void>;
}

/** Makes a migrated database for one test file; vitest's `globalSetup` must name `testing-global-setup.ts`. */
export async function openTestDatabase(options: Partial<DatabaseOptions> = {}): Promise<TestDatabase> {
  const { TEST_DATABASE_URL: serverUrl, TEST_DATABASE_TEMPLATE: template } = process.env;
  invariant(serverUrl && template, "vitest's globalSetup has prepared the test database");
  const name = `securewave_test_${randomBytes(8).toString("hex")}`;
  await runOn(serverUrl, `create database ${name} template ${template}`);
  const url = withDatabase(serverUrl, name);
  const database = await openDatabase({ poolMax: 10, statementTimeoutMs: 10_000, ...options, url });
  const names = async (statement: string) => {
    const { rows } = await database.pool.query<{ name: string }>(statement);
    return rows.map((row) => row.name);
  };
  const tables = await names(ALL_TABLES);
  const findWritten = tables.length === 0 ? undefined : statementFindingWritten(tables);
  const seeded = new Set(findWritten && (await names(findWritten)));

  return {
    ...database,
    url,
    async truncateAll() {
      if (findWritten === undefined) return;
      const written = (await names(findWritten)).filter((table) => !seeded.has(table));
      if (written.length > 0) {
        await database.pool.query(`truncate ${written.join(", ")} restart identity cascade`);
      }
    },
    async close() {
      await database.close();
      await runOn(serverUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

/** Opens a test's database as the service does: each kind of work under its own login. */
export function openAsService({ url }: Pick<TestDatabase, "url">, poolMax = 10): Promise<Database> {
  return openDatabase({ url, logins: serviceLogins(url), poolMax, statementTimeoutMs: 10_000 });
}

/** The service's logins to a database of the tests' server. */
export function serviceLogins(url: string): Logins {
  const password = process.env.TEST_DATABASE_ROLES_PASSWORD ?? "";
  return Object.fromEntries(
    SERVICE_LOGINS.map((login) => [
      login,
      { connectionString: urlWith(url, { user: roleOf(login), password }) },
    ]),
  );
}

const ALL_TABLES = `
  select format('%I.%I', schemaname, tablename) as name
  from pg_tables
  where schemaname not in ('pg_catalog', 'information_schema')`;

/** Truncating costs some milliseconds for each table with its indexes; looking costs next to nothing. */
function statementFindingWritten(tables: readonly string[]): string {
  const withRows = tables.map((table) => `select '${table}' as name where exists (select from ${table})`);
  const withIdentity = `
    select format('%I.%I', pg_namespace.nspname, pg_class.relname)
    from pg_depend
    join pg_class on pg_class.oid = pg_depend.refobjid
    join pg_namespace on pg_namespace.oid = pg_class.relnamespace
    where pg_depend.classid = 'pg_class'::regclass and pg_depend.deptype in ('a', 'i')
      and pg_depend.objid in (select c.oid from pg_class c where c.relkind = 'S')
      and pg_sequence_last_value(pg_depend.objid) is not null
      and format('%I.%I', pg_namespace.nspname, pg_class.relname) in (${tables.map((table) => `'${table}'`).join(", ")})`;
  return [...withRows, withIdentity].join(" union ");
}
