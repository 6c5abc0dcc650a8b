import { browserRequirements, openBrowser } from "@securewave/testing/browser";
import { describe, expect, test } from "vitest";
import { useTwoPeople } from "./two-people.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("pages about privacy"), () => {
  const people = useTwoPeople();

  test("who keeps the usage history sees each day, drawn and as figures", async () => {
    const { mock, page, customerId } = people;
    const { privacy } = mock.state;
    privacy.historySince.set(customerId, "2026-10-01");
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
    const { mock, page, admin, customerId } = people;
    const { privacy } = mock.state;
    privacy.addRequest({ account_id: customerId, text: "Who has seen my address?", due_on: "2999-12-31" });
    privacy.addRequest({ account_id: customerId, kind: "export", due_on: "2026-01-31" });
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
    const { mock, admin, customerId } = people;
    await admin.goto(`${mock.url}/admin/users`);
    const more = admin.getByRole("button", { name: "More for anna@example.org" });
    await more.click();
    await admin.getByRole("button", { name: "Delete…" }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await admin.getByText("anna@example.org is erased on").first().waitFor();
    expect(mock.state.privacy.deletions.get(customerId)?.due_on).toBe("2026-11-27");
    await more.click();
    await admin.getByText("It is erased on").waitFor();
    await admin.getByRole("button", { name: "Keep…" }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Keep", exact: true }).click();
    await admin.getByText("anna@example.org stays.").first().waitFor();
    expect(mock.state.privacy.deletions.has(customerId)).toBe(false);
  });

  test("a node's quarantine is shown with its reason, and ends when an admin trusts the node again", async () => {
    const { mock, admin } = people;
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
    const { mock } = people;
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
    expect((await asked).postDataJSON()).toMatchObject({ policy_version: "2" });
    await visitors.close();
  });

  test("nothing complained, and on a phone no page is wider than its window", async () => {
    const { page, admin } = people;
    await people.expectQuietAndNarrow([
      [page, "/account/privacy"],
      [admin, "/admin/privacy-requests"],
    ]);
  });
});
