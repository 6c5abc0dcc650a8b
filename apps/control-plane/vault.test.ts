import { setTimeout as sleep } from "node:timers/promises";
import { notify, openDatabase } from "@securewave/database";
import { openTestDatabase } from "@securewave/database/testing";
import { createSecret } from "@securewave/foundation/secret";
import { openVault } from "@securewave/vault";
import { openTestVault } from "@securewave/vault/testing-server";
import { sql } from "kysely";
import { afterAll, afterEach, expect, test } from "vitest";

const owner = await openTestDatabase();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => owner.close());

/** As packages/vault/README.md advises: what logins make belongs to one lasting role. */
const CREATION = [
  `create role "{{name}}" login password '{{password}}' valid until '{{expiration}}' in role {{owner}}`,
  `alter role "{{name}}" set role {{owner}}`,
];

/** A Vault whose logins are roles of the real PostgreSQL. */
async function serve(ttlSeconds: number, maxTtlSeconds: number) {
  const lasting = `lasting_${Math.random().toString(36).slice(2)}`;
  await owner.pool.query(`create role ${lasting} nologin`);
  await owner.pool.query(`grant all on schema public to ${lasting}`);
  closing.push(async () => {
    await owner.pool.query(`drop owned by ${lasting}`);
    await owner.pool.query(`drop role ${lasting}`);
  });
  const made: string[] = [];
  const execute = (statement: string) => {
    const name = /^create role "([^"]+)"/.exec(statement)?.[1];
    if (name) made.push(name);
    return owner.pool.query(statement);
  };
  const creation = CREATION.map((statement) => statement.replaceAll("{{owner}}", lasting));
  const vault = await openTestVault({
    appRoles: [{ roleId: "role", secretId: "secret", ttlSeconds: 60, paths: ["database/creds/app"] }],
    databaseRoles: { app: { creation, ttlSeconds, maxTtlSeconds, execute } },
  });
  closing.push(() => vault.close());
  return { vault, made, lasting };
}

async function rolesOf(names: readonly string[]): Promise<string[]> {
  const { rows } = await owner.pool.query("select rolname from pg_roles where rolname = any($1)", [names]);
  return rows.map(({ rolname }) => rolname);
}

test("logins that Vault leases change under eight callers without one failure, and each is dropped", async () => {
  const { vault: server, made, lasting } = await serve(6, 6);
  const login = { kind: "app-role", roleId: "role", secretId: createSecret("secret") } as const;
  const troubles: unknown[] = [];
  const vault = await openVault({
    address: server.address,
    login,
    onTrouble: (error) => troubles.push(error),
  });
  closing.push(() => vault.close());
  const credentials = await vault.leaseDatabase("app");
  const { url } = owner;
  const database = await openDatabase({ url, credentials, poolMax: 4, statementTimeoutMs: 5_000 });
  closing.push(() => database.close());
  await database.pool.query("create table made_by_a_login (id int generated always as identity)");
  const { rows } = await owner.pool.query(
    "select tableowner from pg_tables where tablename = 'made_by_a_login'",
  );
  expect(rows).toEqual([{ tableowner: lasting }]);

  const heard: string[] = [];
  await database.listen("news", { onMessage: (payload) => heard.push(payload), onGap: () => {} });
  const users = new Set<string>();
  const failures: unknown[] = [];
  let asked = 0;
  const untilMs = performance.now() + 11_000;
  const ask = async () => {
    const { rows: found } = await database.transaction(async (trx) => {
      await sql`insert into made_by_a_login default values`.execute(trx);
      return sql<{ user: string }>`select session_user as user`.execute(trx);
    });
    users.add(found[0]?.user ?? "");
    asked++;
  };
  const callers = Array.from({ length: 8 }, async () => {
    while (performance.now() < untilMs) {
      await ask().catch((error) => failures.push(error));
      await sleep(5);
    }
  });
  await Promise.all(callers);
  expect(failures).toEqual([]);
  expect(asked).toBeGreaterThan(1_000);
  expect(users.size).toBeGreaterThanOrEqual(3);
  await expect.poll(() => rolesOf(made)).toEqual([credentials.current().user]);
  await notify(owner.db, "news", "still here");
  await expect.poll(() => heard).toEqual(["still here"]);
  const { rows: counted } = await database.pool.query("select count(*) from made_by_a_login");
  expect(counted).toEqual([{ count: asked }]);

  for (const close of closing.splice(-2).reverse()) await close(); // the database, and Vault after it
  expect(await rolesOf(made)).toEqual([]);
  expect(troubles).toEqual([]);
}, 30_000);
