import { type Browser, browserRequirements, openBrowser } from "@securewave/testing/browser";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type MockApi, startMockApi } from "./mock-api.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("pages about privacy"), () => {
  let mock: MockApi;
  let customers: Browser;
  let operators: Browser;
  let page: Page;
  let admin: Page;
  let annaId: string;
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
    annaId = mock.state.addAccount("anna@example.org").id;
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

  test("who keeps the usage history sees each day, drawn and as figures", async () => {
    const { privacy } = mock.state;
    privacy.historySince.set(annaId, "2026-10-01");
    for (let day = 30; day >= 1; day--)
      privacy.days.push({ day: `2026-10-${String(day).padStart(2, "0")}`, mebibytes: (day % 9) * 100 });
    await page.goto(`${mock.url}/account/privacy`);
    const chart = page.getByRole("img", { name: "Used each day, at most 839 MB" });
    await chart.waitFor();
    expect(await chart.locator("rect").count()).toBe(30);
    await page.getByText("As figures").click();
    expect(await page.getByRole("row").count()).toBe(31);
    expect(await page.locator("time").first().getAttribute("datetime")).toBe("2026-10-30");
  });

  test("requests that are late stand on top and are marked, and one is closed with what became of it", async () => {
    const { privacy } = mock.state;
    privacy.addRequest({ account_id: annaId, text: "Who has seen my address?", due_on: "2999-12-31" });
    privacy.addRequest({ account_id: annaId, kind: "export", due_on: "2026-01-31" });
    await admin.goto(`${mock.url}/admin/privacy-requests`);
    const rows = admin.getByRole("list", { name: "Privacy requests" }).getByRole("listitem");
    await rows.first().waitFor();
    expect(await rows.allInnerTexts()).toEqual([
      expect.stringMatching(/A copy of one's data\s+Late/),
      expect.stringMatching(/Something else\s+Open\s+Who has seen my address\?/),
    ]);
    await rows.first().getByRole("button", { name: "Done…" }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Mark as done" }).click();
    await admin.getByText("The request is done.").first().waitFor();
    await rows.nth(1).waitFor({ state: "detached" });
    await admin.getByRole("button", { name: "Done", exact: true }).click();
    await admin.getByText("A copy of one's data").waitFor();
    await page.goto(`${mock.url}/account/privacy`);
    const own = page.getByRole("list", { name: "Your requests" }).getByRole("listitem");
    await own.first().waitFor();
    expect(await own.allInnerTexts()).toEqual([expect.stringMatching(/Done/), expect.stringMatching(/Open/)]);
  });

  test("an admin has an account erased, sees the day on which it goes, and keeps it", async () => {
    await admin.goto(`${mock.url}/admin/users`);
    const more = admin.getByRole("button", { name: "More for anna@example.org" });
    await more.click();
    await admin.getByRole("button", { name: "Delete…" }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await admin.getByText("anna@example.org is erased on").first().waitFor();
    expect(mock.state.privacy.deletions.get(annaId)?.due_on).toBe("2026-11-28");
    await more.click();
    await admin.getByText("It is erased on").waitFor();
    await admin.getByRole("button", { name: "Keep…" }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Keep", exact: true }).click();
    await admin.getByText("anna@example.org stays.").first().waitFor();
    expect(mock.state.privacy.deletions.has(annaId)).toBe(false);
  });

  test("a node's quarantine is shown with its reason, and ends when an admin trusts the node again", async () => {
    const node = mock.state.addNode("EU-1", "Frankfurt", {
      state: "degraded",
      quarantined: true,
      problem: "It reported figures that cannot be.",
    });
    await admin.goto(`${mock.url}/admin/nodes/${node.id}`);
    await admin.getByText("Quarantined", { exact: true }).waitFor();
    await admin.getByText("It reported figures that cannot be.", { exact: true }).waitFor();
    await admin.getByRole("button", { name: "Trust again…" }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Trust again" }).click();
    await admin.getByText("EU-1 is trusted again.").first().waitFor();
    await admin.getByText("Quarantined", { exact: true }).waitFor({ state: "detached" });
    expect(await admin.getByRole("button", { name: "Trust again…" }).count()).toBe(0);
  });

  test("nobody signs up without agreeing to the privacy policy", async () => {
    const visitors = await openBrowser();
    const visitor = await visitors.newPage();
    await visitor.goto(`${mock.url}/sign-up`);
    await visitor.locator("input[name=email]").fill("bea@example.org");
    await visitor.locator("input[name=password]").fill("a long enough sentence");
    await visitor.getByRole("button", { name: "Sign up" }).click();
    await visitor.getByText("Tick this to go on.").waitFor();
    const asked = visitor.waitForRequest("**/api/auth/register");
    await visitor.getByLabel("I agree to the privacy policy").check();
    await visitor.getByRole("button", { name: "Sign up" }).click();
    expect((await asked).postDataJSON()).toMatchObject({ policy_version: "2026-11" });
    await visitors.close();
  });

  test("nothing complained, and on a phone no page is wider than its window", async () => {
    for (const [opened, path] of [
      [page, "/account/privacy"],
      [admin, "/admin/privacy-requests"],
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
