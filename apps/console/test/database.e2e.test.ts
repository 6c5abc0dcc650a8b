import { browserRequirements } from "@securewave/testing/browser";
import type { Route } from "playwright-core";
import { describe, expect, test } from "vitest";
import { expectAccessible } from "./expect-accessible.ts";
import { useTwoPeople } from "./two-people.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("the page about the database"), () => {
  const people = useTwoPeople();

  test("what is well says so, and what is empty too", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin`);
    await admin.getByRole("link", { name: "Database", exact: true }).first().click();
    await admin.getByText("All is as advised", { exact: true }).waitFor();
    await admin.getByText("240 MB").waitFor();
    await admin.getByText("All settings are as advised").waitFor();
    await admin.getByText("No statement took 200 ms or more.").waitFor();
    await admin.getByText("answers requests; rights to 1 table").waitFor();
    await expectAccessible(admin);
  });

  test("what is not well says what to do: roles, rights, migrations, settings and slow statements", async () => {
    const { mock, admin } = people;
    const { status, roles, settings, slow } = mock.state.database;
    Object.assign(status, {
      ...{ roles_used: 1, rights_differing: 1, migrations_waiting: 1, settings_unmet: 1 },
      connections: { open: 10, idle: 0, waiting: 7 },
    });
    roles.items.push({
      ...{ name: "securewave_worker", purpose: "carries out jobs", is_present: false, is_used: false },
      rights: [],
    });
    roles.differences.push({
      ...{ role: "securewave_api", table: 'public."accounts"', right: "select", is_missing: true },
    });
    settings.push({
      ...{ name: "synchronous_commit", about: "durability", value: "off", wanted: "on", is_met: false },
      why: "without it a power cut loses what was acknowledged",
    });
    slow.push({ text: "select * from devices where id = $1", count: 3, longest_ms: 900, total_ms: 1500 });
    await admin.goto(`${mock.url}/admin/database`);
    await admin.getByText("Something is to be done").waitFor();
    await admin.getByText("securewave_api lacks select on").waitFor();
    await admin.getByRole("listitem").getByText("Not on the server").waitFor();
    await admin.getByText("\\password securewave_api").waitFor();
    const rows = admin.getByRole("region", { name: "Migrations" }).getByRole("row");
    await rows.nth(1).getByText("Waits").waitFor();
    expect(await rows.nth(1).textContent()).toContain("0002_names.sql");
    await admin.getByText("It is off; advised: on").waitFor();
    await admin.getByRole("row", { name: /select \* from devices.* 3 900 ms 1500 ms/ }).waitFor();
    await expectAccessible(admin);
  });

  test("it is being loaded, or could not be, and is there once the service is back", async () => {
    const { mock, admin } = people;
    const problem = { type: "about:blank", title: "Error", status: 500, code: "request.failed" };
    const failure = { status: 500, contentType: "application/problem+json", body: JSON.stringify(problem) };
    await admin.route("**/api/admin/database/slow", (route) => route.fulfill(failure));
    const loading = async (route: Route) => {
      await admin.getByText("Loading the database").waitFor({ state: "attached" });
      await route.continue();
    };
    await admin.route("**/api/admin/database", loading, { times: 1 });
    await admin.goto(`${mock.url}/admin/database`);
    await admin.getByRole("alert").getByText("This could not be loaded").waitFor();
    await admin.unrouteAll();
    await admin.getByRole("button", { name: "Try again" }).click();
    await admin.getByRole("region", { name: "Slow statements" }).getByRole("row").nth(1).waitFor();
  });

  test("customers do not get to it, and on a phone it is no wider than its window", async () => {
    const { mock, page, admin } = people;
    await page.goto(`${mock.url}/admin/database`);
    await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
    await admin.setViewportSize({ width: 390, height: 844 });
    await admin.goto(`${mock.url}/admin/database`);
    await admin.getByRole("region", { name: "Slow statements" }).waitFor();
    const overhang = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    expect(await admin.evaluate(overhang)).toBe(0);
  });
});
