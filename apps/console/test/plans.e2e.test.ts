import { type Browser, browserRequirements, openBrowser } from "@securewave/testing/browser";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MockApi, startMockApi } from "./mock-api.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("pages about plans and usage"), () => {
  let mock: MockApi;
  let customers: Browser;
  let operators: Browser;
  let page: Page;
  let admin: Page;
  const complaints: string[] = [];

  async function logIn(browser: Browser, email: string): Promise<Page> {
    const opened = await browser.newPage();
    opened.on("pageerror", (error) => complaints.push(String(error)));
    opened.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await opened.goto(`${mock.url}/log-in`);
    await opened.locator("input[name=email]").fill(email);
    await opened.locator("input[name=password]").fill("correct horse");
    await opened.getByRole("button", { name: "Log in", exact: true }).click();
    await opened.getByRole("navigation", { name: "Main" }).waitFor();
    return opened;
  }

  beforeAll(async () => {
    mock = await startMockApi();
    mock.state.addAccount("anna@example.org");
    mock.state.addAccount("ada@example.org", "admin");
    [customers, operators] = [await openBrowser(), await openBrowser()];
    page = await logIn(customers, "anna@example.org");
    admin = await logIn(operators, "ada@example.org");
  });
  afterAll(async () => {
    await customers?.close();
    await operators?.close();
    await mock?.close();
  });

  test("an admin adds a plan with a quota, and gives it to somebody", async () => {
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
    mock.state.plans.usage.usedBytes = 50e9;
    await page.goto(`${mock.url}/account/usage`);
    await page.getByText("50.0 GB of 200 GB").waitFor();
    expect(await page.getByRole("progressbar").getAttribute("value")).toBe("25");
    expect(await page.getByText("At 100 % each device goes on at 1.5 Mbit/s.").count()).toBe(1);
    expect(await page.locator("time").getAttribute("datetime")).toBe("2026-12-01");
    mock.state.plans.usage.usedBytes = 190e9;
    await page.reload();
    await page.getByText("More than 80 % is used").waitFor();
    mock.state.plans.usage.usedBytes = 230e9;
    await page.reload();
    await page.getByText("This month's traffic is used up").waitFor();
    expect(await page.getByText("115 %").count()).toBe(1);
    expect(await page.getByRole("progressbar").getAttribute("value")).toBe("100");
  });

  test("staff see somebody's use when they ask for it, and not before", async () => {
    await admin.goto(`${mock.url}/admin/users`);
    await admin.getByRole("button", { name: "More for anna@example.org" }).click();
    await admin.getByRole("button", { name: "Plan…" }).click();
    expect(await admin.getByText(/Used this month/).count()).toBe(0);
    await admin.getByRole("button", { name: "Show usage" }).click();
    await admin.getByText("Used this month: 214 GiB of 186 GiB. Throttled until").waitFor();
  });

  test("a plan that accounts have cannot be removed; the default can only be replaced", async () => {
    await admin.goto(`${mock.url}/admin/plans`);
    await admin.getByRole("button", { name: "Change: Basic" }).waitFor();
    expect(await admin.getByRole("button", { name: /^Remove: / }).count()).toBe(0);
    await admin.getByRole("button", { name: "Make default: Basic" }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Make default" }).click();
    await admin.getByText("New accounts get Basic.").first().waitFor();
    expect(await admin.getByRole("button", { name: "Retire: Basic" }).count()).toBe(0);
  });

  test("nothing complained, and on a phone no page is wider than its window", async () => {
    for (const [opened, path] of [
      [page, "/account/usage"],
      [admin, "/admin/plans"],
    ] as const) {
      await opened.setViewportSize({ width: 390, height: 844 });
      await opened.goto(`${mock.url}${path}`);
      await opened.locator("h1").waitFor();
      const overhang = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
      expect(await opened.evaluate(overhang)).toBe(0);
    }
    expect(complaints).toEqual([]);
  });
});
