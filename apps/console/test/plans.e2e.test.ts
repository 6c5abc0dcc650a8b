import { browserRequirements } from "@securewave/testing/browser";
import { describe, expect, test } from "vitest";
import { useTwoPeople } from "./two-people.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("pages about plans and usage"), () => {
  const people = useTwoPeople();

  test("an admin adds a plan with a quota, and gives it to somebody", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/plans`);
    await admin.getByRole("button", { name: "Add plan" }).first().click();
    await admin.getByLabel("Name").fill("Basic");
    await admin.getByLabel("Traffic a month, in GB").fill("200");
    await admin.getByLabel("Fair-use speed, in Mbit/s").fill("1.5");
    await admin.getByRole("dialog").getByRole("button", { name: "Add plan" }).click();
    await admin.getByText("Traffic: 200 GB a month").waitFor();
    await admin.goto(`${mock.url}/admin/users`);
    await admin.getByRole("button", { name: "More for anna@example.org" }).click();
    await admin.getByRole("button", { name: "Plan…" }).click();
    await admin.getByLabel("Plan", { exact: true }).selectOption("Basic");
    await admin.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await admin.getByText("anna@example.org has the plan Basic.").first().waitFor();
  });

  test("a customer sees what is used, what happens at 100 %, and the day on which it begins anew", async () => {
    const { mock, page } = people;
    mock.state.plans.usedBytes = 50e9;
    await page.goto(`${mock.url}/account/usage`);
    await page.getByText("50.0 GB of 200 GB").waitFor();
    expect(await page.getByRole("progressbar").getAttribute("value")).toBe("25");
    expect(await page.getByText("At 100 % each device goes on at 1.5 Mbit/s.").count()).toBe(1);
    expect(await page.locator("time").getAttribute("datetime")).toBe("2026-12-01");
    mock.state.plans.usedBytes = 190e9;
    await page.reload();
    await page.getByText("More than 80 % is used").waitFor();
    mock.state.plans.usedBytes = 230e9;
    await page.reload();
    await page.getByText("This month's traffic is used up").waitFor();
    expect(await page.getByText("115 %").count()).toBe(1);
    expect(await page.getByRole("progressbar").getAttribute("value")).toBe("100");
  });

  test("staff see somebody's use when they ask for it, and not before", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/users`);
    await admin.getByRole("button", { name: "More for anna@example.org" }).click();
    await admin.getByRole("button", { name: "Plan…" }).click();
    expect(await admin.getByText(/Used this month/).count()).toBe(0);
    await admin.getByRole("button", { name: "Show usage" }).click();
    await admin.getByText("Used this month: 214 GiB of 186 GiB. Throttled until").waitFor();
  });

  test("a plan that accounts have cannot be removed; the default can only be replaced", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/plans`);
    await admin.getByRole("button", { name: "Change: Basic" }).waitFor();
    expect(await admin.getByRole("button", { name: /^Remove: / }).count()).toBe(0);
    await admin.getByRole("button", { name: "Make default: Basic" }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Make default" }).click();
    await admin.getByText("New accounts get Basic.").first().waitFor();
    expect(await admin.getByRole("button", { name: "Retire: Basic" }).count()).toBe(0);
  });

  test("nothing complained, and on a phone no page is wider than its window", async () => {
    const { page, admin } = people;
    await people.expectQuietAndNarrow([
      [page, "/account/usage"],
      [admin, "/admin/plans"],
    ]);
  });
});
