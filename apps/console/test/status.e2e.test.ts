import { browserRequirements } from "@securewave/testing/browser";
import { describe, expect, test } from "vitest";
import { expectAccessible } from "./expect-accessible.ts";
import { useTwoPeople } from "./two-people.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("pages about service levels and the status page"), () => {
  const people = useTwoPeople();

  test("a month is shown with its budget, and one of which nothing is known says so", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/sla`);
    await admin.getByText("53 % left").waitFor();
    expect(await admin.getByText("10 minutes not known").count()).toBe(1);
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
    await dialog.getByLabel("Part of the service").selectOption("API and console");
    await dialog.getByLabel("What is known").fill("We look\ninto it.");
    expect(await dialog.getByText("into it.", { exact: true }).count()).toBe(1);
    await dialog.getByRole("button", { name: "Post" }).click();
    await admin.getByRole("button", { name: "Update: Log-ins fail" }).click();
    expect(mock.state.status.incidents[0]).toMatchObject({
      components: [{ component: "api", impact: "degraded" }],
      updates: [{ text: "We look\ninto it." }],
    });
    await dialog.getByLabel("State").selectOption("Resolved");
    await dialog.getByLabel("What is new").fill("It works.");
    await dialog.getByRole("button", { name: "Post" }).click();
    await admin.getByRole("listitem").getByText("Resolved").waitFor();
    await expectAccessible(admin);
    await admin.getByRole("button", { name: "Remove: Log-ins fail" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await admin.getByText("No incidents").waitFor();
  });

  test("maintenance is announced a day ahead, or refused with why, and called off", async () => {
    const { mock, admin } = people;
    mock.state.status.nowMs = Date.now();
    await admin.goto(`${mock.url}/admin/status`);
    await admin.getByRole("button", { name: "Announce maintenance" }).click();
    const dialog = admin.getByRole("dialog");
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
      [409],
    );
  });
});
