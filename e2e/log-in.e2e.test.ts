import { join } from "node:path";
import {
  addAuthenticator,
  type Browser,
  browserRequirements,
  decodeQr,
  openBrowser,
  type TemporaryDir,
  temporaryDir,
} from "@securewave/testing";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type AuthenticatorApp, openAuthenticatorApp } from "./authenticator-app.ts";
import { logInOnPage, type Observer, observe, shoot, shootBoth } from "./console-pages.ts";
import { type ControlPlane, dataDirOf, startControlPlane } from "./control-plane.ts";
import { mailedLink, PASSWORD, type Person, setUpAdmin } from "./people.ts";
import { processesOf } from "./remains.ts";
import { answerDialog, giveCredentials, giveFactor, logOutOnPage } from "./security-pages.ts";

const ADA = { email: "ada@example.org", password: PASSWORD };
const NEW_PASSWORD = "a quite different long sentence";
const PAGE_TIMEOUT_MS = 60_000;

const TOLD = [
  "login_succeeded",
  "login_refused",
  "second_factor_enabled",
  "recovery_code_used",
  "passkey_added",
  "passkey_removed",
  "password_reset",
  "sessions_ended",
] as const;

const needs = browserRequirements(["zbarimg"]);

/** All on the limits that the service has by itself: what a person does here never meets them. */
describe.skipIf(!needs.ok)(needs.title("the ways into an account"), { timeout: 180_000 }, () => {
  let dir: TemporaryDir;
  let plane: ControlPlane;
  let origin: string;
  let ada: { browser: Browser; page: Page; seen: Observer };
  let elsewhere: typeof ada;
  let admin: Person;
  let app: AuthenticatorApp;
  let usedCode: string;
  let recoveryCodes: string[];

  async function open() {
    const browser = await openBrowser();
    const page = await browser.newPage();
    page.setDefaultTimeout(PAGE_TIMEOUT_MS);
    return { browser, page, seen: observe(browser) };
  }

  const freshFactor = () => {
    const code = recoveryCodes.pop();
    if (code === undefined) throw new Error("no recovery code is left");
    return { kind: "recovery", code } as const;
  };

  async function logIn(page: Page, password: string): Promise<void> {
    await giveCredentials(page, origin, { ...ADA, password });
    await giveFactor(page, freshFactor());
    await page.waitForURL(`${origin}/devices`);
  }

  /** A page whose log-in ended says so at the next click, or before it when the stream of its devices ended first. */
  async function seeEnd(page: Page): Promise<void> {
    const end = () => page.getByText("Your log-in has ended").waitFor();
    const link = page.getByRole("link", { name: "Servers" }).first();
    await Promise.any([end(), link.click().then(end)]);
  }

  beforeAll(async () => {
    dir = temporaryDir("log-in");
    plane = await startControlPlane({ dir: dir.path });
    origin = plane.url.replace("127.0.0.1", "localhost");
    admin = await setUpAdmin(plane.url, plane.setupLink);
    ada = await open();
    elsewhere = await open();
  }, 240_000);

  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    await shoot(ada.page, "s99-failed-ada");
    await shoot(elsewhere.page, "s99-failed-elsewhere");
  });

  afterAll(async () => {
    for (const each of [ada, elsewhere]) await each?.browser.close();
    await plane?.process.stop();
    expect(await processesOf(dir.path)).toEqual([]);
    dir.remove();
  });

  test("an authenticator app is set up from what the page shows, and its recovery codes are shown once", async () => {
    const { page } = ada;
    await page.goto(`${origin}/sign-up`);
    await page.locator("input[name=email]").fill(ADA.email);
    await page.locator("input[name=password]").fill(PASSWORD);
    await page.locator("input[name=policy_version]").check();
    await page.getByRole("button", { name: "Sign up" }).click();
    await page.goto(await mailedLink(join(dataDirOf(dir.path), "outbox"), ADA.email));
    await page.getByText("Address confirmed").waitFor();
    await page.goto(`${origin}/log-in`);
    await shootBoth(page, "s01-log-in");
    await logInOnPage(page, ADA.email, PASSWORD);
    await page.waitForURL(`${origin}/devices`);

    await page.goto(`${origin}/account/security`);
    await page.getByText("Not set up.").waitFor();
    await shootBoth(page, "s02-security");
    await page.getByRole("button", { name: "Set up…" }).click();
    await shootBoth(page, "s03-set-up-password");
    await answerDialog(page, "Go on", { password: PASSWORD });
    const link = page.getByRole("link", { name: "Open the app on this device" });
    const url = (await link.getAttribute("href")) ?? "";
    await shootBoth(page, "s04-set-up");
    expect(decodeQr(await page.screenshot({ type: "png", fullPage: true }))).toBe(url);
    const secret = new URL(url).searchParams.get("secret") ?? "";
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    await page.getByText(secret.match(/.{4}/g)?.join(" ") ?? "").waitFor();
    app = openAuthenticatorApp(secret);

    await page.locator("input[name=code]").fill("000000");
    await page.getByRole("button", { name: "Switch on" }).click();
    await page.getByText("This code is wrong").waitFor();
    await page.locator("input[name=code]").fill(await app.nextCode());
    await page.getByRole("button", { name: "Switch on" }).click();
    await page.getByText("Keep these recovery codes").waitFor();
    await shootBoth(page, "s05-recovery-codes");
    const list = page.getByRole("list", { name: "Recovery codes" });
    recoveryCodes = await list.getByRole("listitem").allInnerTexts();
    expect(new Set(recoveryCodes).size).toBe(10);
    await page.getByRole("checkbox", { name: "I have kept them" }).check();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByText("10 recovery codes left.").waitFor();
    await page.reload();
    await page.getByText("10 recovery codes left.").waitFor();
    expect(await page.content()).not.toContain(recoveryCodes[0]);
    await shootBoth(page, "s06-second-factor-on");
  });

  test("a log-in takes a code of the app, and takes it once", async () => {
    const { page } = ada;
    usedCode = await app.nextCode();
    await logOutOnPage(page, origin);
    await giveCredentials(page, origin, ADA);
    await shootBoth(page, "s07-code");
    await giveFactor(page, { kind: "app", code: usedCode });
    await page.waitForURL(`${origin}/devices`);

    await logOutOnPage(page, origin);
    await giveCredentials(page, origin, ADA);
    await giveFactor(page, { kind: "app", code: usedCode });
    await page.getByText("This code is wrong, was used already or has ended.").waitFor();
    await shootBoth(page, "s08-code-used");
  });

  test("a recovery code does in place of it, once", async () => {
    const { page } = ada;
    const once = freshFactor();
    await giveFactor(page, once);
    await page.waitForURL(`${origin}/devices`);
    await logOutOnPage(page, origin);
    await giveCredentials(page, origin, ADA);
    await giveFactor(page, once);
    await page.getByText("This code is wrong, was used already or has ended.").waitFor();
    await shootBoth(page, "s09-recovery-code-used");
    await giveFactor(page, freshFactor());
    await page.waitForURL(`${origin}/devices`);
  });

  test("a passkey logs in by itself, until it is removed", async () => {
    const { page } = ada;
    const authenticator = await addAuthenticator(page);
    await page.goto(`${origin}/account/security`);
    await page.getByRole("button", { name: "Add a passkey…" }).click();
    await shootBoth(page, "s10-add-passkey");
    await authenticator.confirming(async () => {
      const proof = { password: PASSWORD, code: freshFactor().code };
      await answerDialog(page, "Go on", { name: "Ada’s laptop", ...proof });
      await page.getByText("You can log in with Ada’s laptop.").first().waitFor();
    });
    expect(await authenticator.count()).toBe(1);
    await shootBoth(page, "s11-passkey");
    await logOutOnPage(page, origin);
    // Chromium takes what it suggests at once here.
    await authenticator.confirming(async () => {
      await page.reload();
      await page.waitForURL(`${origin}/devices`);
    });
    await page.addInitScript(
      "globalThis.PublicKeyCredential && (PublicKeyCredential.isConditionalMediationAvailable = async () => false)",
    );
    await logOutOnPage(page, origin);
    await authenticator.confirming(async () => {
      await page.getByRole("button", { name: "Log in with a passkey" }).click();
      await page.waitForURL(`${origin}/devices`);
    });

    await page.goto(`${origin}/account/security`);
    await page.getByRole("button", { name: "Remove Ada’s laptop" }).click();
    await shootBoth(page, "s11-passkey-remove");
    await answerDialog(page, "Remove", { password: PASSWORD, code: freshFactor().code });
    await page.getByText("You have none yet.").waitFor();
    await logOutOnPage(page, origin);
    await authenticator.confirming(async () => {
      await page.getByRole("button", { name: "Log in with a passkey" }).click();
      await page.getByText("This passkey is not known here.").waitFor();
    });
    expect(await authenticator.count()).toBe(1);
    await shootBoth(page, "s12-passkey-unknown");
  });

  test("a forgotten password is replaced by the link in the mail, which works once and ends every log-in", async () => {
    const { page } = ada;
    await logIn(elsewhere.page, PASSWORD);
    await page.goto(`${origin}/log-in`);
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    await shootBoth(page, "s20-forgot");
    await page.locator("input[name=email]").fill(ADA.email);
    await page.getByRole("button", { name: "Send the link" }).click();
    await page.getByRole("heading", { name: "Check your mail" }).waitFor();
    await shootBoth(page, "s21-link-sent");
    const link = await mailedLink(join(dataDirOf(dir.path), "outbox"), ADA.email, "/reset");
    await page.goto(link);
    await page.getByRole("heading", { name: "Choose a new password" }).waitFor();
    expect(page.url()).toBe(`${origin}/reset`);
    await page.locator("input[name=password]").fill(NEW_PASSWORD);
    await page.getByRole("button", { name: "Use a recovery code" }).click();
    await page.locator("input[name=code]").fill(freshFactor().code);
    await shootBoth(page, "s22-reset");
    await page.getByRole("button", { name: "Set the password" }).click();
    await page.getByText("Your password is changed").waitFor();
    await shootBoth(page, "s23-reset-done");

    await seeEnd(elsewhere.page);
    await page.goto("about:blank");
    await page.goto(link);
    await page.getByText("This link is over").waitFor();
    await shootBoth(page, "s24-link-over");
    await page.goto(`${origin}/log-in`);
    await logInOnPage(page, ADA.email, PASSWORD);
    await page.getByText("Mail address or password is wrong.").waitFor();
    await logIn(page, NEW_PASSWORD);
  });

  test("the list of log-ins has the other browser, and logging out everywhere ends it", async () => {
    const { page } = ada;
    await logIn(elsewhere.page, NEW_PASSWORD);
    await page.goto(`${origin}/account/security`);
    const logIns = page.getByRole("list", { name: "Log-ins" }).getByRole("listitem");
    await logIns.nth(1).waitFor();
    expect(await logIns.count()).toBe(2);
    await page.getByText("This one").waitFor();
    await shootBoth(page, "s30-log-ins");
    await page.getByRole("button", { name: "Log out everywhere…" }).click();
    await shootBoth(page, "s31-log-out-everywhere");
    await answerDialog(page, "Log out everywhere");
    await page.waitForURL(`${origin}/log-in*`);
    await seeEnd(elsewhere.page);
    await shootBoth(elsewhere.page, "s32-ended");
  });

  test("the audit trail tells of all this, by the day and without a mail address", async () => {
    const { items } = await admin.client.audit.list({ query: { limit: 100 } });
    const kinds = new Set(items.map(({ body }) => body?.kind));
    for (const kind of TOLD) expect(kinds).toContain(kind);
    expect(JSON.stringify(items)).not.toMatch(/@|127\.0\.0\.1|::1/);
    const own = items.filter(({ body }) => body?.kind === "passkey_added");
    expect(own.map(({ body }) => body?.time)).toEqual([expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/)]);
  });

  test("nobody was told to wait, and no page complained", () => {
    for (const { seen } of [ada, elsewhere]) {
      expect(seen.slowedDown()).toEqual([]);
      expect(seen.complaints()).toEqual([]);
    }
  });
});
