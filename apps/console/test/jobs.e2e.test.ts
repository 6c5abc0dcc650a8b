import { browserRequirements } from "@securewave/testing/browser";
import { describe, expect, test } from "vitest";
import { expectAccessible } from "./expect-accessible.ts";
import { useTwoPeople } from "./two-people.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("pages about jobs"), () => {
  const people = useTwoPeople();

  test("an admin sees each job with its last run and its next, and which is overdue", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/jobs`);
    const cleanUp = admin.getByRole("row", { name: /clean-up/ });
    await cleanUp.getByText("Runs daily at 03:17 UTC").waitFor();
    expect(await cleanUp.getByText("Succeeded").count()).toBe(1);
    expect(await cleanUp.getByText("1.2 s").count()).toBe(1);
    const backUp = admin.getByRole("row", { name: /back-up/ });
    expect(await backUp.getByText("Overdue").count()).toBe(1);
    expect(await backUp.getByText("ECONNREFUSED").count()).toBe(1);
    await admin.getByText("1 job is overdue").waitFor();
    const mail = admin.getByRole("row", { name: /account-mail/ });
    expect(await mail.getByText("10 or more").count()).toBe(1);
    await expectAccessible(admin);
  });

  test("a job is run by hand; its progress shows, then its result", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/jobs`);
    await admin.getByRole("button", { name: "Run now: back-up" }).click();
    await admin.getByRole("progressbar", { name: "Progress of back-up" }).waitFor();
    await admin.getByText("50 %, tables").waitFor();
    const backUp = admin.getByRole("row", { name: /back-up/ });
    await backUp.getByText("Succeeded").waitFor();
    await backUp.getByRole("link", { name: "back-up" }).click();
    const runs = admin.getByRole("region", { name: "Last runs" });
    await runs.getByText("Staff").waitFor();
    expect(await runs.getByText("ECONNREFUSED").count()).toBe(1);
    await expectAccessible(admin);
  });

  test("a dead letter is sent again, another is thrown away after a question", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/jobs`);
    const letters = admin.getByRole("region", { name: "Dead letters" });
    await letters
      .getByRole("button", { name: /^Send again: account-mail/ })
      .first()
      .click();
    await admin.getByText("The letter is queued again.").first().waitFor();
    await letters.getByRole("button", { name: /^Discard: account-mail/ }).click();
    await admin.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
    await letters.getByText("There are none.").waitFor();
    expect(mock.state.jobs.deadLetters).toEqual([]);
  });

  test("to customers the page does not exist", async () => {
    const { mock, page } = people;
    await page.goto(`${mock.url}/admin/jobs`);
    await page.getByRole("heading", { name: /not/i }).waitFor();
    expect(await page.getByText("clean-up").count()).toBe(0);
  });

  test("nothing complained, and on a phone no page is wider than its window", async () => {
    const { admin } = people;
    await people.expectQuietAndNarrow([
      [admin, "/admin/jobs"],
      [admin, "/admin/jobs/clean-up"],
    ]);
  });
});
