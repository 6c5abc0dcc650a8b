import { createId } from "@securewave/foundation";
import { browserRequirements } from "@securewave/testing/browser";
import { beforeEach, describe, expect, test } from "vitest";
import { localOf } from "../pages/status/words.ts";
import { expectAccessible } from "./expect-accessible.ts";
import { useTwoPeople } from "./two-people.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("pages about service levels and the status page"), () => {
  const people = useTwoPeople();
  beforeEach(() => {
    people.mock.state.status.incidents.length = 0;
  });

  test("a month is shown with its budget, and one of which nothing is known says so", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/sla`);
    await admin.getByText("53 % left").waitFor();
    expect(await admin.getByText("10 minutes not known").count()).toBe(1);
    const below =
      "document.documentElement.scrollHeight - document.querySelector('main').getBoundingClientRect().bottom - scrollY";
    expect(await admin.evaluate(below)).toBeLessThan(1); // tables for screen readers make no page longer
    await expectAccessible(admin);
    await admin.getByLabel("Month").selectOption("2026-10");
    await admin.getByRole("row", { name: /API and console Not known/ }).waitFor();
  });

  test("an incident is posted with a preview, updated until it is resolved, and taken off", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/status`);
    await admin.getByRole("button", { name: "Post an incident" }).click();
    const dialog = admin.getByRole("dialog");
    await dialog.getByLabel("Title").fill("Log-ins fail");
    await dialog.getByLabel("API and console").selectOption("Works badly");
    await dialog.getByLabel("Tunnels: us-east").selectOption("Does not work");
    await dialog.getByLabel("What is known").fill("We look\ninto it.");
    await dialog.getByText("into it.", { exact: true }).waitFor();
    await dialog.getByRole("button", { name: "Post" }).click();
    await admin.getByRole("button", { name: "Update: Log-ins fail" }).click();
    expect(mock.state.status.incidents[0]).toMatchObject({
      components: [
        { component: "api", impact: "degraded" },
        { component: "tunnels/us-east", impact: "down" },
      ],
      updates: [{ text: "We look\ninto it." }],
    });
    await dialog.getByLabel("State").selectOption("Resolved");
    await dialog.getByLabel("What is new").fill("It works.");
    await dialog.getByRole("button", { name: "Post" }).click();
    await dialog.waitFor({ state: "hidden" });
    await admin.getByRole("listitem").getByText("Resolved").waitFor();
    await expectAccessible(admin);
    await admin.getByRole("button", { name: "Remove: Log-ins fail" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await admin.getByText("No incidents").waitFor();
  });

  test("an incident is edited: its title, and which parts it concerns, also one that is gone meanwhile", async () => {
    const { mock, admin } = people;
    const opened = mock.state.status.incidents;
    opened.push({
      id: createId("incident"),
      title: "Line",
      state: "identified",
      components: [
        { component: "tunnels/Atlantis", impact: "down" },
        { component: "mail", impact: "degraded" },
      ],
      opened_at: "2026-11-20T10:00:00.000Z",
      resolved_at: null,
      updates: [],
    });
    await admin.goto(`${mock.url}/admin/status`);
    await admin.getByText("tunnels/Atlantis: does not work").waitFor();
    await admin.getByRole("button", { name: "Edit: Line" }).click();
    const dialog = admin.getByRole("dialog");
    await expectAccessible(admin);
    expect(await dialog.getByLabel("tunnels/Atlantis").inputValue()).toBe("down");
    await dialog.getByLabel("Title").fill("A line is cut");
    await dialog.getByLabel("Mail").selectOption("Not concerned");
    await dialog.getByLabel("Sign-up").selectOption("Not impaired");
    await dialog.getByRole("button", { name: "Save" }).click();
    await admin.getByText("Sign-up: not impaired").waitFor();
    expect(opened[0]).toMatchObject({
      title: "A line is cut",
      components: [
        { component: "sign-up", impact: "none" },
        { component: "tunnels/Atlantis", impact: "down" },
      ],
    });
  });

  test("an update is corrected, and one that was posted too early is taken back", async () => {
    const { mock, admin } = people;
    const opened = mock.state.status.incidents;
    const updateOf = (state: "identified" | "monitoring", text: string) => ({
      ...{
        id: createId("incidentUpdate"),
        state,
        text,
        posted_at: "2026-11-20T10:00:00.000Z",
        is_edited: false,
      },
    });
    opened.push({
      ...{ id: createId("incident"), title: "Disk", state: "monitoring", components: [], resolved_at: null },
      opened_at: "2026-11-20T10:00:00.000Z",
      updates: [updateOf("monitoring", "It is well."), updateOf("identified", "A dsik is full.")],
    });
    await admin.goto(`${mock.url}/admin/status`);
    await admin.getByText("2 updates of Disk").click();
    await expectAccessible(admin);
    await admin.getByRole("button", { name: "Edit the update: A dsik is full." }).click();
    const dialog = admin.getByRole("dialog");
    await dialog.getByLabel("What is known").fill("A disk is full.");
    await dialog.getByRole("button", { name: "Save" }).click();
    await admin.getByText("(edited)").waitFor();
    await admin.getByRole("button", { name: "Remove the update: It is well." }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await admin.getByText("1 update of Disk").waitFor();
    expect(opened[0]).toMatchObject({
      state: "identified",
      updates: [{ text: "A disk is full.", is_edited: true }],
    });
    expect(await admin.getByRole("button", { name: /^Remove the update/ }).count()).toBe(0); // the last one stays
  });

  test("maintenance is announced a day ahead, or refused with why, and called off", async () => {
    const { mock, admin } = people;
    mock.state.status.nowMs = Date.now();
    await admin.goto(`${mock.url}/admin/status`);
    await admin.getByRole("button", { name: "Announce maintenance" }).click();
    const dialog = admin.getByRole("dialog");
    expect(await dialog.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);
    await dialog.getByLabel("Title").fill("New disks");
    const local = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 16);
    await dialog.getByLabel("Begins").fill(local(16));
    await dialog.getByLabel("Ends").fill(local(17));
    await dialog.getByLabel("What is going to be done").fill("We change disks.");
    await dialog.getByRole("button", { name: "Announce" }).click();
    await dialog.getByText(/24 hours ahead at least/).waitFor();
    await dialog.getByLabel("Begins").fill(local(48));
    await dialog.getByLabel("Ends").fill(local(50));
    await dialog.getByRole("button", { name: "Announce" }).click();
    await admin.getByRole("button", { name: "Cancel: New disks" }).click();
    await dialog.getByRole("button", { name: "Call it off" }).click();
    await admin.getByRole("listitem").getByText("Cancelled").waitFor();
    expect(await admin.getByRole("button", { name: "Change: New disks" }).count()).toBe(0);
  });

  test("maintenance is moved after asking, and nothing else of it is written anew", async () => {
    const { mock, admin } = people;
    const { windows, nowMs } = mock.state.status;
    const at = (hours: number) => new Date(nowMs + hours * 3_600_000).toISOString();
    windows.length = 0;
    windows.push({
      id: createId("maintenance"),
      title: "Cables",
      text: "Cables are laid.",
      starts_at: at(48),
      ends_at: at(49),
      announced_at: at(0),
      components: ["mail"],
      mode: "off",
      is_emergency: false,
      notifies: true,
      state: "scheduled",
    });
    const [before] = structuredClone(windows);
    await admin.goto(`${mock.url}/admin/status`);
    await admin.getByRole("button", { name: "Change: Cables" }).click();
    const form = admin.getByRole("dialog", { name: "Change: Cables" });
    await expectAccessible(admin);
    await form.getByRole("button", { name: "Change…" }).click();
    await form.getByText("Nothing is changed yet.").waitFor();
    const local = (hours: number) => localOf(at(hours));
    const question = admin.getByRole("dialog", { name: "Change this maintenance?" });
    await form.getByLabel("Begins").fill(local(12));
    await form.getByRole("button", { name: "Change…" }).click();
    await question.getByRole("button", { name: "Change it" }).click();
    await question.getByText(/24 hours ahead at least/).waitFor();
    await question.getByRole("button", { name: "Back" }).click();
    await form.getByLabel("Begins").fill(local(72));
    await form.getByRole("button", { name: "Change…" }).click();
    await form.getByText("It ends after it begins.").waitFor();
    await form.getByLabel("Ends").fill(local(74));
    await form.getByLabel("API and console").check();
    await form.getByRole("button", { name: "Change…" }).click();
    await question.getByText(/Customers whom it concerns get a mail/).waitFor();
    expect(windows[0]).toEqual(before);
    await question.getByRole("button", { name: "Change it" }).click();
    await admin.getByText("It concerns: API and console, Mail.").waitFor();
    expect(await admin.getByRole("dialog").count()).toBe(0);
    expect(windows[0]).toEqual({
      ...before,
      starts_at: `${at(72).slice(0, 17)}00.000Z`,
      ends_at: `${at(74).slice(0, 17)}00.000Z`,
      components: ["api", "mail"],
    });
    windows.length = 0;
  });

  test("pages that were refused are asked for anew once the service is open again", async () => {
    const { mock, page } = people;
    const [service, devices] = ["**/api/service", "**/api/vpn/devices?*"] as const;
    const maintenance = { mode: "closed", title: null, starts_at: null, ends_at: null };
    await page.route(service, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), maintenance } });
    });
    await page.route(devices, (route) =>
      route.fulfill({
        status: 503,
        json: { code: "request.maintenance", status: 503, title: "Maintenance" },
      }),
    );
    await page.clock.install();
    await page.goto(`${mock.url}/devices`);
    await page.getByText("Please come back later.").waitFor();
    await page.clock.runFor(10_000); // what is refused for a while is asked for more than once
    await page.getByText("This could not be loaded").waitFor();
    await page.unroute(service);
    await page.unroute(devices);
    await page.clock.runFor(20_000);
    await page.getByText("This could not be loaded").waitFor({ state: "detached" });
    await page.getByText("Please come back later.").waitFor({ state: "detached" });
  });

  test("the mode is switched after asking", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/status`);
    await admin.getByRole("button", { name: "Make read-only" }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Switch" }).click();
    await admin.getByText("Read-only: customers look and change nothing.", { exact: true }).waitFor();
    expect(mock.state.status.switched).toBe("read-only");
    mock.state.status.switched = "off";
  });

  test("nothing complained, and on a phone no page is wider than its window", async () => {
    const { admin } = people;
    await people.expectQuietAndNarrow(
      [
        [admin, "/admin/sla"],
        [admin, "/admin/status"],
      ],
      [409, 409, 503, 503, 503],
    );
  });
});
