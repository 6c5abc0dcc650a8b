import { browserRequirements } from "@securewave/testing/browser";
import { parseConfig, publicKeyOf } from "@securewave/wireguard";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { expectAccessible } from "./expect-accessible.ts";
import { useTwoPeople } from "./two-people.ts";

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("moving a device and changing its key"), () => {
  const people = useTwoPeople();
  const sent: string[] = [];
  let page: Page;
  /** The config with the device's first key. */
  let firstConfig: string;

  const device = () => {
    const [only] = people.mock.state.tunnels.devices;
    if (!only) throw new Error("there is a device");
    return only;
  };
  const shownConfig = async () => {
    const text = page.locator("pre").first();
    if (!(await text.isVisible())) await page.getByText("Show the text").first().click();
    return text.innerText();
  };

  beforeAll(() => {
    page = people.page;
    const { fleet } = people.mock.state;
    fleet.add("EU-Frankfurt-1", "Frankfurt");
    fleet.add("EU-Paris-1", "Paris", { latitude: 48.9, longitude: 2.35, devices: 900 });
    page.on("request", (request) => sent.push(`${request.url()} ${request.postData() ?? ""}`));
  });

  test("a device gets a preshared key that page and service agreed, and that neither sent", async () => {
    await page.goto(`${people.mock.url}/devices/new`);
    const agreed = page.getByLabel("Preshared key safe from quantum computers");
    expect(await agreed.isChecked()).toBe(false);
    const loaded = sent.length;
    await agreed.check();
    await page.getByLabel("Name").fill("Phone");
    await page.getByRole("radio", { name: /^EU-Frankfurt-1/ }).check();
    await page.getByRole("button", { name: "Add device" }).click();
    await page.getByText("Take the config along").waitFor();
    expect(sent.slice(0, loaded).join("\n")).not.toContain("/assets/agreed-key");
    expect(sent.slice(loaded).join("\n")).toContain("/assets/agreed-key");
    firstConfig = await shownConfig();
    const presharedKey = parseConfig(firstConfig)?.peer.presharedKey ?? "";
    expect(presharedKey).toBe(device().agreedKey);
    await page.getByRole("button", { name: /^Download / }).click();
    await page.getByText("You have the config").waitFor();
  });

  test("a move shows both places, and until when the former one works", async () => {
    await page.goto(`${people.mock.url}/devices/${device().id}`);
    await page.getByRole("button", { name: "Move to another server…" }).click();
    expect(await page.getByRole("radio", { name: /^EU-Frankfurt-1/ }).isDisabled()).toBe(true);
    await page.getByRole("radio", { name: /^EU-Paris-1/ }).check();
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByText("Phone is on EU-Paris-1").waitFor();
    await page.getByText(/The former one works until the end of .*2026 \(UTC\)\./).waitFor();
    await page
      .getByRole("listitem")
      .filter({ hasText: "EU-Frankfurt-1" })
      .getByText(/^Works until/)
      .waitFor();
    await expectAccessible(page);
  });

  test("the config for the new server is written from the former one, in the page", async () => {
    const upload = (text: string) =>
      page
        .getByLabel("Write the config anew from the one you have")
        .setInputFiles({ name: "phone.conf", mimeType: "text/plain", buffer: Buffer.from(text) });
    await upload("not a config");
    await page.getByText("This is not a WireGuard config.").waitFor();
    await upload(firstConfig);
    await page.getByAltText(/^QR code/).waitFor();
    const config = parseConfig(await shownConfig());
    expect(config?.peer.endpoint.host).toBe("eu-paris-1.securewave.example");
    expect(config?.peer.presharedKey).toBe(device().agreedKey);
  });

  test("a new key is made in the page; its preshared key is agreed anew, and the former one works on", async () => {
    await page.getByRole("button", { name: "Change the key now…" }).click();
    await page.getByText("Its preshared key is agreed anew").waitFor();
    await page.getByRole("button", { name: "Make the new key" }).click();
    await page.getByText("Phone has a new key").waitFor();
    const config = parseConfig(await shownConfig());
    expect(config && publicKeyOf(config.privateKey)).toBe(device().public_key);
    expect(config?.peer.presharedKey).toBe(device().agreedKey);
    await page.getByText("Former key", { exact: true }).waitFor();
    await expectAccessible(page);
  });

  test("a key that is in the page only moves along with its device", async () => {
    await page.getByRole("button", { name: "Move to another server…" }).click();
    await page.getByRole("radio", { name: /^EU-Frankfurt-1/ }).check();
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByText("Phone is on EU-Frankfurt-1").waitFor();
    const config = parseConfig(await shownConfig());
    expect(config && publicKeyOf(config.privateKey)).toBe(device().public_key);
    expect(config?.peer.endpoint.host).toBe("eu-frankfurt-1.securewave.example");
    await page.getByRole("link", { name: "Servers" }).first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Stay here" }).click();
    await page.getByRole("button", { name: /^Download / }).click();
    await page.getByText("You have the config").waitFor();
  });

  test("how often a key is changed is its owner's to say", async () => {
    await page.getByLabel("How often to remind you").selectOption("0");
    await page.getByRole("button", { name: "Save how often" }).click();
    await page.getByText("Saved.").first().waitFor();
    expect(device().rotation_days).toBe(0);
    await expect.poll(() => page.locator("dl").getByText("Never").count()).toBe(1);
  });

  test("a device whose keys the service makes is given its new config at once", async () => {
    await page.goto(`${people.mock.url}/devices/new`);
    await page.getByLabel("Name").fill("Tablet");
    await page.getByText("Other ways").click();
    await page.getByLabel("Let the server make the keys").check();
    expect(await page.getByLabel("Preshared key safe from quantum computers").count()).toBe(0);
    await page.getByRole("button", { name: "Add device" }).click();
    await page.getByText("Tablet is ready to connect").waitFor();
    await page.getByRole("link", { name: "Done" }).click();
    await page.getByRole("link", { name: "Tablet" }).click();
    await page.getByRole("button", { name: "Change the key now…" }).click();
    await page.getByRole("button", { name: "Make the new key" }).click();
    await page.getByText("Tablet has a new key").waitFor();
    await page.getByAltText(/^QR code/).waitFor();
    await page.getByRole("button", { name: "Move to another server…" }).click();
    await page.getByRole("radio", { name: /^EU-Paris-1/ }).check();
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByText("Tablet is on EU-Paris-1").waitFor();
    const config = parseConfig(await shownConfig());
    expect(config?.peer.endpoint.host).toBe("eu-paris-1.securewave.example");
  });

  test("no private and no agreed key was in a request, and nothing complained or was too wide", async () => {
    const secrets = [parseConfig(firstConfig)?.privateKey, device().agreedKey];
    for (const secret of secrets) {
      expect(secret).toBeDefined();
      expect(sent.filter((request) => request.includes(secret ?? ""))).toEqual([]);
    }
    await people.expectQuietAndNarrow([[page, `/devices/${device().id}`]]);
  });
});
