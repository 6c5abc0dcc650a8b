import { type CredentialsSource, openDatabase } from "@securewave/database";
import { openTestDatabase } from "@securewave/database/testing";
import { createSecret } from "@securewave/foundation/secret";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { loadConfig } from "./config.ts";
import { databaseOf } from "./zero-log-order.ts";

const owner = await openTestDatabase();
const made: string[] = [];
afterAll(async () => {
  for (const role of made) await owner.pool.query(`drop role ${role}`);
  await owner.close();
});

async function makeLogin() {
  const user = `leased_${Math.random().toString(36).slice(2)}`;
  await owner.pool.query(`create role ${user} login password 'a%b'`);
  made.push(user);
  return { user, password: "a%b" };
}

async function userOf(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query("select session_user as name").finally(() => client.end());
  return rows[0].name;
}

test("the auditor logs in to the database as the service does at that moment, also where logins change", async () => {
  let login = await makeLogin();
  let changed = async () => {};
  const credentials: CredentialsSource = {
    current: () => login,
    onChange: (listener) => {
      changed = listener;
    },
  };
  const database = await openDatabase({
    url: owner.url,
    credentials,
    poolMax: 2,
    statementTimeoutMs: 5000,
  });
  const { config } = await loadConfig({});
  const store = { ...config.store, url: createSecret(owner.url) };
  const order = () => databaseOf({ store, zeroLog: config.zeroLog }, database);
  try {
    expect(await userOf(order().url)).toBe(login.user);
    login = await makeLogin();
    await changed();
    expect(await userOf(order().url)).toBe(login.user);
    expect(order()).toMatchObject({ hasTools: true, dataDir: undefined });
  } finally {
    await database.close();
  }
});
