import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();

test("status shows health, totals, nodes by state and what is wrong with them", async () => {
  const { stdout, code } = await service.run("status");
  expect(stdout).toContain(`Example VPN at ${service.api().url} is healthy`);
  expect(stdout).toMatch(/Connected\s+10 to 19\n/);
  expect(stdout).toMatch(/Nodes\s+1 offline, 2 healthy\n/);
  expect(stdout).toContain("FRA-1: It has not been heard of");
  expect(code).toBe(0);
});

test("the JSON of status holds the same", async () => {
  expect((await service.run("status --json")).json()).toMatchObject({
    health: { status: "healthy" },
    totals: { nodes: 3 },
    nodes_by_state: { offline: 1, healthy: 2, joining: 0 },
    problems: [{ name: "FRA-1", state: "offline" }],
  });
});

test("an unhealthy service is shown with its checks, and the exit code tells", async () => {
  service.api().state.health = "unhealthy";
  const { stdout, code } = await service.run("status");
  expect(stdout).toMatch(/Database\s+does not answer/);
  expect(code).toBe(1);
});

test("without a log-in, and as a customer, health is shown all the same", async () => {
  const anonymous = await service.run("status", { env: { SECUREWAVE_TOKEN: "none" } });
  expect(anonymous.stdout).toContain("Log in to see the totals");
  await service.logIn("ada@example.org");
  const customer = await service.run("status --json");
  expect(customer).toMatchObject({ code: 0 });
  expect(customer.json()).toMatchObject({ totals: null, nodes_by_state: null });
});

test("a service that cannot be reached has an exit code of its own", async () => {
  await service.api().close();
  const ran = await service.run("status --json");
  expect(ran).toMatchObject({ code: 3, stdout: "" });
  expect(JSON.parse(ran.stderr).error.code).toBe("client.unreachable");
});

test("something that is not SecureWave is told from it", async () => {
  const ran = await service.run(`status --url ${service.api().url}/elsewhere`);
  expect(ran.code).toBe(1);
  expect((await service.run("status --url nonsense")).code).toBe(2);
});

test("settings are shown, and only those named are changed", async () => {
  expect((await service.run("settings show")).stdout).toMatch(/Registration\s+open\n/);
  const ran = await service.run("settings set --registration closed --devices-per-account-max 9 --json");
  const changed = { service_name: "Example VPN", registration: "closed", devices_per_account_max: 9 };
  expect(ran.json()).toEqual(changed);
  expect(service.api().state.settings).toEqual(changed);
});

test("settings that are none, or out of range, are wrong usage", async () => {
  expect((await service.run("settings set")).code).toBe(2);
  expect((await service.run("settings set --registration maybe")).code).toBe(2);
  expect((await service.run("settings set --devices-per-account-max 0")).code).toBe(2);
});
