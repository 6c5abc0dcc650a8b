import { afterAll, expect, test } from "vitest";
import { openTestApp } from "../../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());

test("settings have defaults, change one by one, and are kept", async () => {
  const { client } = await service.admin();
  const defaults = { service_name: "SecureWave", registration: "open", devices_per_account_max: 5 };
  expect(await client.service.readSettings()).toEqual(defaults);
  const change = { service_name: "Wellenreiter 🏄" };
  expect(await client.service.changeSettings({ body: change })).toEqual({ ...defaults, ...change });
  await client.service.changeSettings({ body: { devices_per_account_max: 9 } });
  expect(await client.service.readSettings()).toEqual({ ...defaults, ...change, devices_per_account_max: 9 });
  expect(await service.client().service.info()).toEqual({
    name: change.service_name,
    policy_version: "1",
    policy_url: "/privacy-policy",
    registration: "open",
    setup_needed: false,
  });
  const rows = await service.database.db.selectFrom("settings").selectAll().orderBy("name").execute();
  expect(rows).toEqual([
    { name: "devices_per_account_max", value: 9 },
    { name: "service_name", value: change.service_name },
  ]);
});

test("two changes at once both hold", async () => {
  const { client } = await service.admin();
  await Promise.all([
    client.service.changeSettings({ body: { service_name: "Both" } }),
    client.service.changeSettings({ body: { devices_per_account_max: 3 } }),
  ]);
  expect(await client.service.readSettings()).toMatchObject({
    service_name: "Both",
    devices_per_account_max: 3,
  });
});

test.each([
  {},
  { service_name: "" },
  { service_name: " padded " },
  { service_name: "a\nb" },
  { service_name: "x".repeat(41) },
  { registration: "maybe" },
  { devices_per_account_max: 0 },
  { devices_per_account_max: 1001 },
  { devices_per_account_max: 1.5 },
  { devices_per_account_max: "5" },
  { surplus: 1 },
])("%j is refused and changes nothing", async (body) => {
  const { client, token } = await service.admin();
  const before = await client.service.readSettings();
  const answer = await service.send("/api/admin/settings", { method: "PATCH", token, body });
  expect(answer).toMatchObject({ status: 400, json: { code: "request.invalid" } });
  expect(await client.service.readSettings()).toEqual(before);
});
