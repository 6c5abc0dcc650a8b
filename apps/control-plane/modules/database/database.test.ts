import { afterAll, expect, test } from "vitest";
import { connectNode, openTestApp } from "../../testing.ts";

const service = await openTestApp({ jobs: true });
afterAll(() => service.close());

test("the service works under three logins, whose rights are as they are to be", async () => {
  const { client } = await service.admin();
  const { items, differences, sql } = await client.database.roles();
  expect(items.map(({ name, is_present, is_used }) => [name, is_present, is_used])).toEqual([
    ["securewave_api", true, true],
    ["securewave_worker", true, true],
    ["securewave_ingress", true, true],
    ["securewave_backup", true, false],
  ]);
  expect(differences).toEqual([]);
  const ingress = items.find(({ name }) => name === "securewave_ingress")?.rights ?? [];
  expect(ingress.find(({ table }) => table === "accounts")?.verbs).toEqual(["select (id, number, plan_id)"]);
  expect(sql).toContain("\\password securewave_api");
});

test("requests, jobs and the links of VPN servers each ask under their own", async () => {
  const { client } = await service.admin();
  const node = await connectNode(service);
  await client.accounts.me();
  const asked = async () => {
    const { rows } = await service.database.pool.query(`
      select distinct usename from pg_stat_activity
      where datname = current_database() and usename like 'securewave\\_%' order by usename`);
    return rows.map(({ usename }) => usename);
  };
  await expect.poll(asked).toEqual(["securewave_api", "securewave_ingress", "securewave_worker"]);
  await node.disconnect();
});

test("a right that somebody gave by hand is told until the next start", async () => {
  const { client } = await service.admin();
  await service.database.pool.query("grant select on accounts to securewave_ingress");
  const { differences } = await client.database.roles();
  expect(differences).toEqual([
    { role: "securewave_ingress", table: 'public."accounts"', right: "select", is_missing: false },
  ]);
  expect((await client.database.status()).rights_differing).toBe(1);
  await service.database.pool.query("revoke select on accounts from securewave_ingress");
  await service.database.pool.query("grant select (id, number, plan_id) on accounts to securewave_ingress");
  expect((await client.database.status()).rights_differing).toBe(0);
});

test("migrations are listed with their phases, and none waits", async () => {
  const { client } = await service.admin();
  const { items } = await client.database.migrations();
  expect(items[0]).toMatchObject({ number: 1, name: "0001_accounts-nodes-devices.sql", phase: "early" });
  expect(items.filter(({ applied_on }) => applied_on === null)).toEqual([]);
  expect(await client.database.status()).toMatchObject({
    kind: "postgres",
    roles: 3,
    roles_used: 3,
    migrations_applied: items.length,
    migrations_waiting: 0,
  });
});

test("settings are told with what is advised and why", async () => {
  const { client } = await service.admin();
  const { items } = await client.database.settings();
  expect(items.find(({ name }) => name === "fsync")).toMatchObject({
    about: "durability",
    value: "off",
    wanted: "on",
    is_met: false,
  });
  expect(items.every(({ why }) => why.length > 10)).toBe(true);
});

test("slow statements are told without what stood in them", async () => {
  const { client } = await service.admin();
  const { from_ms, items } = await client.database.slow();
  expect(from_ms).toBeGreaterThan(0);
  expect(JSON.stringify(items)).not.toContain("example.org");
});

test("customers see none of it", async () => {
  const { client } = await service.person();
  await expect(client.database.status()).rejects.toMatchObject({ status: 403 });
});
