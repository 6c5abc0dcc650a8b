import {
  type Browser,
  browserRequirements,
  openBrowser,
  type TemporaryDir,
  temporaryDir,
} from "@securewave/testing";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { logInOnPage, type Observer, observe, shoot, shootBoth } from "./console-pages.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { fetchFrom, openForeignSite, submitFrom } from "./foreign-site.ts";
import { PASSWORD, setUpAdmin } from "./people.ts";
import { processesOf } from "./remains.ts";
import { answerDialog } from "./security-pages.ts";

const ADA = "ada@example.org";
const ADMIN = "admin@example.org";
const NETWORK = "203.0.113.0/24";
const PAGE_TIMEOUT_MS = 60_000;

const needs = browserRequirements();

/** All on the limits that the service has by itself: what a person does here never meets them. */
describe.skipIf(!needs.ok)(needs.title("the service against strangers"), { timeout: 180_000 }, () => {
  let dir: TemporaryDir;
  let plane: ControlPlane;
  let origin: string;
  let ada: { browser: Browser; page: Page; seen: Observer };
  let admin: typeof ada;

  async function openAs(email: string) {
    const browser = await openBrowser();
    const page = await browser.newPage();
    page.setDefaultTimeout(PAGE_TIMEOUT_MS);
    const seen = observe(browser);
    await page.goto(`${origin}/log-in`);
    await logInOnPage(page, email, PASSWORD);
    await page.waitForURL(({ pathname }) => pathname !== "/log-in");
    return { browser, page, seen };
  }

  const api = (path: string, key: string, method = "GET") =>
    fetch(plane.url + path, { method, headers: { authorization: `Bearer ${key}` } });

  beforeAll(async () => {
    dir = temporaryDir("security");
    plane = await startControlPlane({ dir: dir.path });
    origin = plane.url.replace("127.0.0.1", "localhost");
    const { client } = await setUpAdmin(plane.url, plane.setupLink);
    await client.accounts.create({ body: { email: ADA, password: PASSWORD } });
    ada = await openAs(ADA);
    admin = await openAs(ADMIN);
  }, 240_000);

  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    await shoot(ada.page, "s99-failed-ada");
    await shoot(admin.page, "s99-failed-admin");
  });

  afterAll(async () => {
    for (const each of [ada, admin]) await each?.browser.close();
    await plane?.process.stop();
    expect(await processesOf(dir.path)).toEqual([]);
    dir.remove();
  });

  test("an API key does what it was made for and nothing else, until it is revoked", async () => {
    const { page } = ada;
    await page.goto(`${origin}/account/api-keys`);
    await page.getByText("No API keys").waitFor();
    await shootBoth(page, "s40-no-api-keys");
    await page.getByRole("link", { name: "Make a key" }).click();
    await page.locator("input[name=name]").fill("Dashboard");
    await page.locator('input[value="devices:read"]').check();
    await page.locator("input[name=password]").fill(PASSWORD);
    await shootBoth(page, "s41-new-api-key");
    await page.getByRole("button", { name: "Make the key" }).click();
    await page.getByText("Your API key is made").waitFor();
    await shootBoth(page, "s42-api-key-text");
    const key = await page.locator("pre code").innerText();
    expect(key).toMatch(/^swk_/);
    await page.getByRole("checkbox", { name: "I have kept it" }).check();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("list", { name: "API keys" }).waitFor();
    await shootBoth(page, "s43-api-keys");
    expect(await page.content()).not.toContain(key);

    expect((await api("/api/vpn/devices", key)).status).toBe(200);
    const refused = [
      await api("/api/account", key),
      await api("/api/account/sessions", key),
      await api("/api/account/api-keys", key),
      await api("/api/auth/logout-everywhere", key, "POST"),
    ];
    for (const answer of refused) {
      expect(answer.status, answer.url).toBe(403);
      expect(await answer.json()).toMatchObject({ code: "sentinel.scope_missing" });
    }
    await page.getByRole("button", { name: "Revoke Dashboard" }).click();
    await answerDialog(page, "Revoke");
    await page.getByText("Dashboard is revoked.").first().waitFor();
    expect((await api("/api/vpn/devices", key)).status).toBe(401);
  });

  test("a page of another origin neither logs one out nor reads an answer", async () => {
    // A browser of its own: what it complains of is the attacker's.
    const { page, browser } = await openAs(ADA);
    const site = await openForeignSite();
    // To browsers all ports of one name are one site, whose pages are sent the cookie; another name is not.
    const places = [
      { host: "localhost", isSentTheCookie: true },
      { host: "127.0.0.1", isSentTheCookie: false },
    ];
    for (const { host, isSentTheCookie } of places) {
      await page.goto(`http://${host}:${site.port}`);
      for (const mode of ["cors", "no-cors"] as const) {
        expect(await fetchFrom(page, `${origin}/api/session`, { mode })).toBe("refused");
        expect(await fetchFrom(page, `${origin}/api/auth/logout`, { mode, method: "POST" })).toBe("refused");
      }
      expect(await fetchFrom(page, `${origin}/api/session`, { method: "DELETE" })).toBe("refused");
      const shown = await submitFrom(page, `${origin}/api/auth/logout`);
      expect(shown).toContain(isSentTheCookie ? "sentinel.forged_request" : "request.not_logged_in");
      await page.goto(`${origin}/devices`);
      await page.getByText("Add your first device").waitFor();
    }
    await site.close();
    await browser.close();
  });

  test("a block is added and lifted, and the audit trail tells of all this", async () => {
    const { page } = admin;
    await page.goto(`${origin}/admin/blocks`);
    await page.getByText("Nobody is blocked").waitFor();
    await shootBoth(page, "s50-no-blocks");
    await page.getByRole("button", { name: "Block a network" }).click();
    await answerDialog(page, "Block", { network: "127.0.0.0/8" });
    await page.locator("input[name=network][aria-invalid=true]").waitFor();
    await shootBoth(page, "s51-own-network");
    await answerDialog(page, "Block", { network: NETWORK });
    const blocks = page.getByRole("list", { name: "Blocks" });
    await blocks.getByText(NETWORK).waitFor();
    await shootBoth(page, "s52-blocks");
    await page.getByRole("button", { name: `Lift the block of ${NETWORK}` }).click();
    await answerDialog(page, "Lift");
    await page.getByText("Nobody is blocked").waitFor();

    await page.goto(`${origin}/admin/audit`);
    const trail = page.getByRole("list", { name: "Entries, the newest first" });
    await trail.waitFor();
    const told = ["Block added", "Block lifted", "API key made", "API key revoked", "Logged in"];
    for (const words of told) await trail.getByText(words, { exact: true }).first().waitFor();
    expect(await trail.innerText()).not.toMatch(/@|127\.0\.0\.1|203\.0\.113/);
    await shootBoth(page, "s53-audit");
    await page.getByLabel("What happened").selectOption({ label: "Block lifted" });
    await page.getByRole("button", { name: "Show all" }).first().waitFor();
    await expect.poll(() => trail.getByRole("listitem").count()).toBe(1);
    await shootBoth(page, "s54-audit-filtered");

    await page.goto(`${origin}/admin/keys`);
    await page.getByRole("list", { name: "Signing keys" }).waitFor();
    await shootBoth(page, "s55-keys");
    await page.getByRole("button", { name: "New signing key…" }).click();
    await answerDialog(page, "Rotate");
    await page.getByText("The new key is on its way").first().waitFor();
    await shootBoth(page, "s56-keys-rotated");
    await page.goto(`${origin}/admin/users`);
    await page.getByText(ADA).first().waitFor();
    await shootBoth(page, "s57-users");
    await page.getByRole("button", { name: `More for ${ADA}` }).click();
    await shootBoth(page, "s58-user-acts");
    await page.goto(`${origin}/admin/settings`);
    await page.locator("input[name=service_name]").waitFor();
    await shootBoth(page, "s59-settings");
  });

  test("nobody was told to wait, and no page complained", () => {
    for (const { seen } of [ada, admin]) {
      expect(seen.slowedDown()).toEqual([]);
      expect(seen.complaints()).toEqual([]);
    }
  });
});
