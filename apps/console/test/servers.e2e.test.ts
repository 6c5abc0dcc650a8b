import { browserRequirements } from "@securewave/testing/browser";
import { beforeAll, describe, expect, test } from "vitest";
import { expectAccessible } from "./expect-accessible.ts";
import { useTwoPeople } from "./two-people.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("choosing a server"), () => {
  const people = useTwoPeople();
  const option = (name: RegExp) => people.page.getByRole("radio", { name });

  beforeAll(() => {
    const { fleet } = people.mock.state;
    fleet.add("EU-Frankfurt-1", "Frankfurt", { devices: 2000 });
    fleet.add("EU-Frankfurt-2", "Frankfurt", { devices: 5200 });
    fleet.add("EU-Paris-1", "Paris", { latitude: 48.9, longitude: 2.35 });
    fleet.add("EU-London-1", "London", { latitude: 51.5, longitude: -0.1, state: "offline" });
    fleet.add("JP-Tokyo-1", "Tokyo", { latitude: 35.7, longitude: 139.7, tags: ["premium"] });
  });

  test("the country is guessed from the time zone, can be changed, and is kept nowhere", async () => {
    const { mock, page } = people;
    const browser = await page.context().newCDPSession(page);
    await browser.send("Emulation.setTimezoneOverride", { timezoneId: "Europe/Berlin" });
    await page.goto(`${mock.url}/servers`);
    const country = page.getByLabel("Where are you?");
    await page.getByText("Guessed from your clock").waitFor();
    expect(await country.inputValue()).toBe("DE");
    const regions = page.getByRole("heading", { level: 2 });
    expect(await regions.allTextContents()).toEqual([
      "Best for you",
      "Frankfurt",
      "Paris",
      "London",
      "Tokyo",
    ]);

    await country.selectOption("JP");
    await page.getByText("about 9,", { exact: false }).first().waitFor();
    await expect.poll(() => regions.allTextContents()).toContain("Tokyo");
    await expect.poll(async () => (await regions.allTextContents())[1]).toBe("Tokyo");
    expect(await page.getByText("Guessed from your clock").count()).toBe(0);

    await country.selectOption("");
    await expect.poll(() => page.getByText(/^about/).count()).toBe(0);
    const stored = await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])");
    expect(stored).not.toMatch(/DE|JP|Berlin/);
    await browser.send("Emulation.setTimezoneOverride", { timezoneId: "UTC" });
  });

  test("what cannot be chosen says why, and a region without a server names the nearest that has one", async () => {
    const { mock, page } = people;
    await page.goto(`${mock.url}/servers`);
    const region = (name: string) => page.getByRole("region", { name, exact: true });
    await region("Tokyo").getByText("Not in your plan").waitFor();
    expect(await region("Tokyo").getByRole("link").count()).toBe(0);
    await region("London").getByText("No server here takes devices at the moment.").waitFor();
    await region("London").getByRole("button", { name: "Add device in Paris" }).click();
    await page.getByRole("heading", { name: "Add a device" }).waitFor();
    await expect.poll(() => option(/^Best in Paris/).isChecked()).toBe(true);
    await expectAccessible(page);
  });

  test("a server is found, chosen and used by keyboard alone", async () => {
    const { mock, page } = people;
    await page.goto(`${mock.url}/devices/new`);
    await page.getByLabel("Name").fill("Desk");
    await option(/^Best for you/).focus();
    await page.keyboard.press("ArrowDown");
    expect(await option(/^Best in Frankfurt/).isChecked()).toBe(true);
    await page.keyboard.press("ArrowDown");
    expect(await option(/^EU-Frankfurt-1/).isChecked()).toBe(true);
    // What is closed or beyond the plan is passed over.
    for (let press = 0; press < 3; press++) await page.keyboard.press("ArrowDown");
    expect(await option(/^Best for you/).isChecked()).toBe(true);
    await page.getByRole("searchbox").focus();
    await page.keyboard.type("frank 2");
    await expect.poll(() => page.getByRole("radio", { name: /^EU-/ }).count()).toBe(1);
    await page.keyboard.press("Enter");
    expect(page.url()).toContain("/devices/new");
    await option(/^EU-Frankfurt-2/).focus();
    await page.keyboard.press("Space");
    await page.keyboard.press("Enter");
    await page.getByText("It uses EU-Frankfurt-2 in Frankfurt.").waitFor();
    await page.getByRole("button", { name: "Copy text" }).click();
    await page.getByText("You have the config").waitFor();
  });

  test("a closed region leads to the choice of the nearest one", async () => {
    const { mock, page } = people;
    await page.goto(`${mock.url}/devices/new`);
    const london = page.getByRole("group", { name: "London" });
    await london.getByRole("button", { name: "Choose Paris" }).click();
    expect(await option(/^Best in Paris/).isChecked()).toBe(true);
    expect(
      await option(/^Best in Paris/)
        .and(page.locator(":focus"))
        .count(),
    ).toBe(1);
  });

  test("axe finds nothing, nothing complained, and no page is wider than a phone", async () => {
    const { mock, page } = people;
    for (const path of ["/servers", "/devices/new", "/account", "/account/usage"]) {
      await page.goto(mock.url + path);
      await page.locator("h1").waitFor();
      await page.waitForLoadState("networkidle");
      await expectAccessible(page);
    }
    await people.expectQuietAndNarrow([
      [page, "/servers"],
      [page, "/devices/new"],
      [page, "/account"],
    ]);
  });

  test("a server that was taken meanwhile is refused beside the choice, in words", async () => {
    const { mock, page } = people;
    await page.goto(`${mock.url}/devices/new`);
    await page.getByLabel("Name").fill("Late");
    await option(/^EU-Paris-1/).check();
    const paris = mock.state.fleet.nodes.find(({ name }) => name === "EU-Paris-1");
    Object.assign(paris ?? {}, { state: "draining" });
    await page.getByRole("button", { name: "Add device" }).click();
    await page.getByText("This server takes no devices at the moment. Choose another one.").waitFor();
    Object.assign(paris ?? {}, { state: "healthy" });
  });
});
