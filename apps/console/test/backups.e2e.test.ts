import { browserRequirements } from "@securewave/testing/browser";
import { describe, expect, test } from "vitest";
import { expectAccessible } from "./expect-accessible.ts";
import { useTwoPeople } from "./two-people.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("the page about backups"), () => {
  const people = useTwoPeople();

  test("an admin sees how young backups are, until when the database can be restored, and what was verified", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin`);
    await admin.getByRole("link", { name: "Backups" }).first().click();
    await admin.getByText("Follows every write").waitFor();
    expect(await admin.getByText("Kept for 35 days").count()).toBe(1);
    expect(await admin.getByText("Backups lie on the disk of the store itself").count()).toBe(1);
    expect(await admin.getByText("38 tables have exactly their 412 rows.").count()).toBe(1);
    expect(await admin.getByRole("list", { name: "Backups" }).getByRole("listitem").count()).toBe(9);
    await expectAccessible(admin);
    await admin.getByLabel("Kind").selectOption("Database");
    await expect
      .poll(() => admin.getByRole("list", { name: "Backups" }).getByRole("listitem").count())
      .toBe(3);
  });

  test("a backup is made with a bar that shows how far it is", async () => {
    const { mock, admin } = people;
    mock.state.backups.backups.length = 0;
    await admin.goto(`${mock.url}/admin/backups`);
    await admin.getByText("No backup yet").waitFor();
    await admin.getByRole("button", { name: "Back up now" }).dblclick(); // as many do; it is asked for once
    await admin.getByRole("progressbar").waitFor();
    await admin.getByText("Backing up ended well").waitFor();
    await expect
      .poll(() => admin.getByRole("list", { name: "Backups" }).getByRole("listitem").count())
      .toBe(3);
  });

  test("a verification that finds damage says so, in words and at the backup", async () => {
    const { mock, admin } = people;
    mock.state.backups.nextProblem = "base.tar.zst.age was changed.";
    await admin.goto(`${mock.url}/admin/backups`);
    await admin
      .getByRole("button", { name: /^Verify 2026/ })
      .first()
      .click();
    await admin.getByText("Verifying failed").waitFor();
    await admin.getByText("A backup is damaged").waitFor();
    await admin.getByText("Damaged", { exact: true }).waitFor();
    await expectAccessible(admin);
  });

  test("old ones are removed only after a question", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/backups`);
    await admin.getByRole("button", { name: "Clean up…" }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    expect(mock.state.backups.run?.act).not.toBe("clean_up");
    await admin.getByRole("button", { name: "Clean up…" }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Remove them" }).click();
    await admin.getByText("Cleaning up ended well").waitFor();
  });

  test("nothing complained, and on a phone no page is wider than its window", async () => {
    await people.expectQuietAndNarrow([[people.admin, "/admin/backups"]]);
  });
});
