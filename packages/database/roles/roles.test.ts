import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { urlWith } from "../credentials.ts";
import { migrate } from "../migrate.ts";
import { MIGRATIONS_DIR, readMigrations } from "../migration-files.ts";
import { type Database, openDatabase } from "../open.ts";
import { openAsService, openTestDatabase, serviceLogins, type TestDatabase } from "../testing.ts";
import { setup } from "../testing-global-setup.ts";
import { insertAccountRow } from "../testing-rows.ts";
import { applyGrants, findDifferences, grantOf } from "./apply.ts";
import { GRANTS, VERBS } from "./grants.ts";
import { ROLES, roleOf, SERVICE_LOGINS, type ServiceLogin } from "./roles.ts";
import { rolesSql } from "./statements.ts";

const FORBIDDEN = "42501";

let teardown: (() => Promise<void>) | undefined;
let owner: TestDatabase;
let service: Database;
let tables: string[];

beforeAll(async () => {
  if (process.env.TEST_DATABASE_TEMPLATE === undefined) teardown = await setup();
  owner = await openTestDatabase();
  service = await openAsService(owner, 4);
  const { rows } = await owner.pool.query(
    "select tablename as name from pg_tables where schemaname = 'public'",
  );
  tables = rows.map(({ name }) => name);
});

afterAll(async () => {
  await service?.close();
  await owner?.close();
  await teardown?.();
});

async function connectAs(user: string): Promise<pg.Client> {
  const password = process.env.TEST_DATABASE_ROLES_PASSWORD ?? "";
  const client = new pg.Client({ connectionString: urlWith(owner.url, { user, password }) });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** The SQLSTATE that a statement is refused with; undefined where it is carried out. All it did is taken back. */
async function refusalOf(client: pg.Client, statement: string): Promise<string | undefined> {
  await client.query("begin");
  try {
    await client.query(statement);
    return undefined;
  } catch (error) {
    return error instanceof pg.DatabaseError ? error.code : "no answer";
  } finally {
    await client.query("rollback");
  }
}

/** One statement of each verb; rights are looked at before rows are. */
function statementOf(verb: (typeof VERBS)[number], table: string, column: string): string {
  switch (verb) {
    case "select":
      return `select * from ${table} limit 1`;
    case "insert":
      return `insert into ${table} default values`;
    case "update":
      return `update ${table} set ${column} = default where false`;
    case "delete":
      return `delete from ${table} where false`;
  }
}

test("every table says which login may do what: a new one gets its line in packages/database/roles/grants.ts", () => {
  expect(Object.keys(GRANTS).sort()).toEqual([...tables].sort());
});

test.each(SERVICE_LOGINS)(
  "the login of %s may do what is declared for it, and nothing else, with every table",
  async (login) => {
    const client = await connectAs(roleOf(login));
    const { rows } = await owner.pool.query(
      `select table_name as "table", max(column_name) as "column" from information_schema.columns
      where table_schema = 'public' and is_generated = 'NEVER' and is_identity = 'NO' group by table_name`,
    );
    const wrong: string[] = [];
    for (const { table, column } of rows) {
      const may = new Set(grantOf("public", table)[login]);
      for (const verb of VERBS) {
        const isAllowed = may.has(verb);
        const isRefused = (await refusalOf(client, statementOf(verb, table, column))) === FORBIDDEN;
        if (isRefused === isAllowed) wrong.push(`${verb} ${table}`);
      }
    }
    await client.end();
    expect(wrong).toEqual([]);
    expect(rows.length).toBeGreaterThan(30);
  },
);

test("what hears from VPN servers reads no account and no log-in, and writes no usage", () => {
  expect(grantOf("public", "accounts").ingress).toEqual(["select (id, number, plan_id)"]);
  const secret = ["sessions", "api_keys", "passkeys", "second_factors", "signing_keys", "encryption_keys"];
  for (const table of secret) expect(grantOf("public", table).ingress, table).toBeUndefined();
  for (const table of tables.filter((name) => name.startsWith("usage_")))
    expect(grantOf("public", table).ingress, table).toBeUndefined();
});

test("requests cannot rewrite the audit trail, nor the ledger, nor what was erased", () => {
  for (const table of ["audit_entries", "audit_tree", "audit_checkpoints", "usage_ledger_state"])
    expect(grantOf("public", table).api, table).toEqual(["select"]);
  expect(grantOf("public", "usage_ledger").api).toEqual(["select", "insert", "update (account_id)"]);
  for (const table of ["erasures", "audit_queue"])
    expect(grantOf("public", table).api, table).toEqual(["select", "insert"]);
});

test("no login but the owner's changes the schema, empties a table, becomes another role or runs a program", async () => {
  const statements = [
    "create table mine (n int)",
    "create schema mine",
    "alter table accounts add column more int",
    "drop table accounts",
    "truncate accounts",
    "create role mine",
    "alter role securewave_api superuser",
    "set role securewave_worker",
    "copy (select 1) to program 'true'",
    "select pg_read_file('postmaster.pid')",
  ];
  for (const { name } of ROLES.filter((role) => "login" in role && role.login !== "worker")) {
    const client = await connectAs(name);
    for (const statement of statements)
      expect(await refusalOf(client, statement), `${name}: ${statement}`).toBe(FORBIDDEN);
    await client.end();
  }
});

test("the login of backups reads no table by a query, and may copy the server", async () => {
  const client = await connectAs("securewave_backup");
  for (const table of tables) expect(await refusalOf(client, `select from ${table}`), table).toBe(FORBIDDEN);
  const { rows } = await client.query(
    "select rolreplication, rolsuper from pg_roles where rolname = current_user",
  );
  expect(rows).toEqual([{ rolreplication: true, rolsuper: false }]);
  await client.end();
});

test("work is done under the login that it was begun with, through awaits, timers and transactions", async () => {
  const user = sql<{ user: string }>`select current_user as "user"`;
  const ask = async () => (await user.execute(service.db)).rows[0]?.user;
  const later = () => new Promise<string | undefined>((resolve) => setTimeout(() => resolve(ask()), 1));
  const inTransaction = () =>
    service.transaction(async (trx) => {
      await service.as("worker", () => Promise.resolve());
      return (await user.execute(trx)).rows[0]?.user;
    });
  expect(await ask()).toBe("securewave_api");
  for (const login of SERVICE_LOGINS) {
    const seen = await Promise.all([ask, later, inTransaction].map((work) => service.as(login, work)));
    expect(seen).toEqual([roleOf(login), roleOf(login), roleOf(login)]);
  }
  const { rows } = await owner.pool.query("select current_user as owner");
  expect(await service.as("owner", ask)).toBe(rows[0].owner);
});

test("a right to some columns is to those alone", async () => {
  const client = await connectAs("securewave_ingress");
  expect(await refusalOf(client, "select id, number, plan_id from accounts")).toBeUndefined();
  for (const column of ["email_sealed", "email_index", "password_sealed", "role", "state"])
    expect(await refusalOf(client, `select ${column} from accounts`), column).toBe(FORBIDDEN);
  await client.end();
});

test("a statement that a login may not make fails, and leaves what it would have changed", async () => {
  const id = await insertAccountRow(owner.db);
  const erase = () => service.db.deleteFrom("accounts").where("id", "=", id).execute();
  await expect(service.as("ingress", erase)).rejects.toMatchObject({ code: FORBIDDEN });
  expect(await owner.db.selectFrom("accounts").select("id").where("id", "=", id).execute()).toHaveLength(1);
});

test("what has no login of its own is done under the owner's", async () => {
  const { api } = serviceLogins(owner.url);
  const half = await openDatabase({
    url: owner.url,
    logins: { ...(api ? { api } : {}) },
    poolMax: 2,
    statementTimeoutMs: 5000,
  });
  const asked = async (login: ServiceLogin) =>
    half.as(login, async () => (await half.db.selectFrom("plans").select("id").execute()).length);
  expect(await asked("worker")).toBeGreaterThan(0);
  expect(half.pools).toHaveLength(2);
  await half.close();
});

test("rights that somebody gave or took by hand are put right, and what is right is left alone", async () => {
  expect(await findDifferences(owner.pool)).toEqual([]);
  await owner.pool.query("grant select, update on accounts to securewave_ingress");
  await owner.pool.query("revoke insert on devices from securewave_api");
  expect(await findDifferences(owner.pool)).toEqual([
    { role: "securewave_ingress", table: 'public."accounts"', right: "select", isMissing: false },
    { role: "securewave_ingress", table: 'public."accounts"', right: "update", isMissing: false },
    { role: "securewave_api", table: 'public."devices"', right: "insert", isMissing: true },
  ]);
  await applyGrants(owner.pool);
  expect(await findDifferences(owner.pool)).toEqual([]);
  const statements: string[] = [];
  await applyGrants({
    query: ((text: string, values: unknown[]) => {
      statements.push(text);
      return owner.pool.query(text, values);
    }) as pg.ClientBase["query"],
  });
  expect(statements.filter((text) => /^\s*(grant|revoke)/.test(text))).toEqual([]);
});

test("while another release may run beside this one, rights are given that are missing, and none is taken", async () => {
  const newer = await openTestDatabase();
  const formerDir = await mkdtemp(join(tmpdir(), "securewave-former-"));
  try {
    const files = await readMigrations(MIGRATIONS_DIR);
    for (const { fileName } of files.slice(0, -1))
      await cp(join(MIGRATIONS_DIR, fileName), join(formerDir, fileName));
    const ofLater = [
      { role: "securewave_ingress", table: 'public."audit_queue"', right: "select", isMissing: false },
    ];
    await newer.pool.query("grant select on audit_queue to securewave_ingress");
    for (const options of [{ dir: formerDir }, { policy: "expand" as const }]) {
      await newer.pool.query("revoke insert on devices from securewave_api");
      await migrate(newer.pool, options);
      expect(await findDifferences(newer.pool)).toEqual(ofLater);
    }
    await migrate(newer.pool);
    expect(await findDifferences(newer.pool)).toEqual([]);
  } finally {
    await newer.close();
    await rm(formerDir, { recursive: true });
  }
});

test("the SQL for a server of one's own names every role, and no password", () => {
  const text = rolesSql('my "vpn"');
  for (const { name } of ROLES) expect(text).toContain(`\\password ${name}`);
  expect(text).toContain('alter database "my ""vpn""" owner to securewave_migration;');
  expect(text).not.toMatch(/password '/);
});
