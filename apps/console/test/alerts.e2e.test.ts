import { browserRequirements } from "@securewave/testing/browser";
import { describe, expect, test } from "vitest";
import { expectAccessible } from "./expect-accessible.ts";
import { useTwoPeople } from "./two-people.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("pages about health and alerts"), () => {
  const people = useTwoPeople();

  test("staff see what fires and what to do, silence it with a reason, and let it be heard again", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/alerts`);
    const firing = admin.getByRole("list", { name: "Firing alerts" });
    await firing.getByText("securewave nodes list", { exact: true }).waitFor();
    await firing.getByRole("button", { name: "Silence NodeOffline" }).click();
    const dialog = admin.getByRole("dialog");
    await dialog.getByRole("button", { name: "Silence" }).click();
    await dialog.getByText("Say why, so that others know.").waitFor();
    await dialog.getByLabel("Reason").fill("its hoster moves it");
    await dialog.getByRole("button", { name: "Silence" }).click();
    await firing.getByText("its hoster moves it").waitFor();
    const silence = "**/api/admin/alerts/NodeOffline/silence";
    await admin.route(silence, (route) =>
      route.fulfill({ status: 500, json: { code: "internal", status: 500, title: "A fault" } }),
    );
    await firing.getByRole("button", { name: "Let NodeOffline be heard" }).click();
    await admin.getByRole("region", { name: "Messages" }).getByRole("listitem").last().waitFor();
    await admin.unroute(silence);
    await firing.getByRole("button", { name: "Let NodeOffline be heard" }).click();
    await firing.getByRole("button", { name: "Silence NodeOffline" }).waitFor();
  });

  test("what fired within 90 days stands in a table, and a watch that stopped is told", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/alerts`);
    const row = admin.getByRole("row", { name: /RedisDown/ });
    await row.getByText("15 minutes").waitFor();
    await admin.getByText("The watch has stopped").waitFor(); // by the clock of the stand-in, it judged long ago
    await expectAccessible(admin);
  });

  test("a list that is empty says so", async () => {
    const { mock, admin } = people;
    const { alerts, episodes } = mock.state.alerts;
    const [kept, past] = [alerts.splice(0), episodes.splice(0)];
    await admin.goto(`${mock.url}/admin/alerts`);
    await admin.getByText("Nothing fires").waitFor();
    await admin.getByText("No alert fired").waitFor();
    alerts.push(...kept);
    episodes.push(...past);
  });

  test("health shows each part with its state and leads to its alerts", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/health`);
    await admin.getByText("The service works, and something is wrong").waitFor();
    const parts = admin.getByRole("list", { name: "Parts of the service" });
    expect(await parts.getByText("Failing").count()).toBe(1);
    expect(await parts.getByText("Not known").count()).toBe(1);
    await expectAccessible(admin);
    await parts.getByRole("link", { name: "NodeOffline" }).click();
    await admin.getByRole("heading", { name: "Alerts", exact: true }).waitFor();
  });

  test("the overview says what is wrong, and leads to all parts", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin`);
    const wrong = mock.state.alerts.health.checks.find(({ state }) => state === "failing");
    await admin.getByText(wrong?.says ?? "", { exact: true }).waitFor();
    await expectAccessible(admin);
    await admin.getByRole("link", { name: "All parts" }).click();
    await admin.getByRole("heading", { name: "Health", exact: true }).waitFor();
  });

  test("customers find neither page, and both fit a phone", async () => {
    const { mock, page, admin } = people;
    await page.goto(`${mock.url}/admin/alerts`);
    await page.getByRole("heading", { name: /not/i }).waitFor();
    await people.expectQuietAndNarrow(
      [
        [admin, "/admin/alerts"],
        [admin, "/admin/health"],
      ],
      [500],
    );
  });

  test("a page that is opened while the service is away comes once it is back", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/alerts`);
    await admin.getByRole("heading", { name: "Firing" }).waitFor();
    await admin.context().setOffline(true);
    await admin.getByRole("link", { name: "Drills" }).first().click();
    await admin.getByText("The service cannot be reached.").waitFor();
    await admin.context().setOffline(false);
    await admin.getByRole("heading", { name: "Drills", exact: true }).waitFor();
  });
});
