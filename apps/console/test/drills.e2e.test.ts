import { browserRequirements } from "@securewave/testing/browser";
import { describe, expect, test } from "vitest";
import { expectAccessible } from "./expect-accessible.ts";
import { useTwoPeople } from "./two-people.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("the page about drills"), () => {
  const people = useTwoPeople();

  test("staff see what each drill came to, and one of them step by step", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin`);
    await admin.getByRole("link", { name: "Drills" }).first().click();
    const corruption = admin.getByRole("row", { name: /database-corruption/ });
    await corruption.getByText("Targets met").waitFor();
    expect(await corruption.getByText("14 s").count()).toBe(1);
    expect(
      await admin
        .getByRole("row", { name: /node-loss/ })
        .getByText("Too slow")
        .count(),
    ).toBe(1);
    await expectAccessible(admin);
    await corruption.getByRole("button", { name: "Timeline of drill 3" }).click();
    await admin.getByText("the service answers, and writes are acknowledged").waitFor();
    await admin.getByText("48, of which 2 are lost").waitFor();
    await expectAccessible(admin);
  });

  test("what was not as it should be is told in words, too", async () => {
    const { mock, admin } = people;
    await admin.goto(`${mock.url}/admin/drills`);
    await admin.getByRole("button", { name: "Timeline of drill 1" }).click();
    const looked = admin.getByRole("list", { name: "What was looked at" });
    await looked.getByLabel("Not as it should be:").waitFor();
    expect(await looked.getByLabel("As it should be:", { exact: true }).count()).toBe(0);
  });

  test("where none was recorded, the page says how to carry one out", async () => {
    const { mock, admin } = people;
    const kept = mock.state.drills.drills.splice(0);
    await admin.goto(`${mock.url}/admin/drills`);
    await admin.getByText("No drill was recorded").waitFor();
    mock.state.drills.drills.push(...kept);
  });

  test("customers do not find the page, and it fits a phone", async () => {
    const { mock, page, admin } = people;
    await page.goto(`${mock.url}/admin/drills`);
    await page.getByRole("heading", { name: /not/i }).waitFor();
    await people.expectQuietAndNarrow([[admin, "/admin/drills"]]);
  });
});
