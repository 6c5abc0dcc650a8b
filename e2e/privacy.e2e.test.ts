import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Browser,
  browserRequirements,
  eventually,
  freeTcpPort,
  openBrowser,
  type TemporaryDir,
  temporaryDir,
} from "@securewave/testing";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { logInOnPage, type Observer, observe, shoot, shootBoth } from "./console-pages.ts";
import { type ControlPlane, dataDirOf, startControlPlane } from "./control-plane.ts";
import { logIn, mailedLink, PASSWORD, type Person, setUpAdmin } from "./people.ts";
import { processesOf } from "./remains.ts";
import { answerDialog } from "./security-pages.ts";
import { filesHolding, readTables } from "./store.ts";

const ADA = "ada.canary-7731@example.org";
const QUESTION = "canary-4711: who has seen my address?";
const KEY_NAME = "canary-8812";
const PAGE_TIMEOUT_MS = 60_000;
const ERASED_TIMEOUT_MS = 60_000;

const needs = browserRequirements();

describe.skipIf(!needs.ok)(needs.title("what people may do about their data"), { timeout: 180_000 }, () => {
  let dir: TemporaryDir;
  let port: number;
  let plane: ControlPlane;
  let origin: string;
  let admin: Person;
  let ada: { browser: Browser; page: Page; seen: Observer };
  let staff: typeof ada;
  let adaApi: Person;

  const dataDir = () => dataDirOf(dir.path);
  const outbox = () => join(dataDir(), "outbox");

  async function open() {
    const browser = await openBrowser();
    const page = await browser.newPage();
    page.setDefaultTimeout(PAGE_TIMEOUT_MS);
    return { browser, page, seen: observe(browser) };
  }

  /** The tables that hold a text, as it is or as the hex of its bytes. */
  async function tablesHolding(text: string): Promise<string[]> {
    const hex = Buffer.from(text).toString("hex");
    const tables = await readTables(dataDir());
    return [...tables].filter(([, rows]) => rows.includes(text) || rows.includes(hex)).map(([name]) => name);
  }

  beforeAll(async () => {
    dir = temporaryDir("privacy");
    port = await freeTcpPort();
    plane = await startControlPlane({ dir: dir.path, port });
    origin = plane.url.replace("127.0.0.1", "localhost");
    admin = await setUpAdmin(plane.url, plane.setupLink);
    [ada, staff] = [await open(), await open()];
  }, 240_000);

  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    await shoot(ada.page, "p99-failed-ada");
    await shoot(staff.page, "p99-failed-staff");
  });

  afterAll(async () => {
    for (const each of [ada, staff]) await each?.browser.close();
    await plane?.process.stop(15_000);
    expect(await processesOf(dir.path)).toEqual([]);
    dir.remove();
  });

  test("who signs up agrees to the privacy policy, and sees later to which version", async () => {
    const { page } = ada;
    await page.goto(`${origin}/sign-up`);
    await page.locator("input[name=email]").fill(ADA);
    await page.locator("input[name=password]").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign up" }).click();
    await page.getByText("Tick this to go on.").waitFor();
    await shootBoth(page, "p01-sign-up");
    await page.locator("input[name=policy_version]").check();
    await page.getByRole("button", { name: "Sign up" }).click();
    await page.getByRole("heading", { name: "Check your mail" }).waitFor();
    await page.goto(await mailedLink(outbox(), ADA));
    await page.getByText("Address confirmed").waitFor();
    await page.goto(`${origin}/log-in`);
    await logInOnPage(page, ADA, PASSWORD);
    await page.waitForURL(`${origin}/devices`);
    await page.goto(`${origin}/account/privacy`);
    await page.getByText("You agreed to it on").waitFor();
    adaApi = await logIn(plane.url, ADA);
    expect((await adaApi.client.privacy.show()).policy).toMatchObject({ version: "1", agreed_version: "1" });
  });

  test("a usage history is kept after agreeing to its text, and no more after taking that back", async () => {
    const { page } = ada;
    await page.getByText("What you use each day is not kept.").waitFor();
    await page.getByRole("button", { name: "Keep my usage history…" }).click();
    await shootBoth(page, "p02-consent");
    await answerDialog(page, "I agree");
    await page.getByText("Your use of each day is kept since").waitFor();
    await page.getByText("The first day is written when it is over.").waitFor();
    expect((await adaApi.client.privacy.show()).usage_history.is_on).toBe(true);
    await page.getByRole("button", { name: "Erase and stop…" }).click();
    await answerDialog(page, "Erase and stop");
    await page.getByText("What you use each day is not kept.").waitFor();
    expect((await adaApi.client.privacy.show()).usage_history.is_on).toBe(false);
  });

  test("what is asked for reaches staff, who close it, and whoever asked sees that", async () => {
    const { page } = ada;
    await page.getByRole("button", { name: "Ask…" }).click();
    await page.getByRole("dialog").locator("select[name=kind]").selectOption("other");
    await answerDialog(page, "Send", { text: QUESTION });
    const own = page.getByRole("list", { name: "Your requests" });
    await own.getByText(QUESTION).waitFor();
    expect(await tablesHolding(QUESTION)).toEqual([]);

    await staff.page.goto(`${origin}/log-in`);
    await logInOnPage(staff.page, admin.email, PASSWORD);
    await staff.page.waitForURL(`${origin}/admin`);
    await staff.page.goto(`${origin}/admin/privacy-requests`);
    await staff.page.getByText(QUESTION).waitFor();
    await shootBoth(staff.page, "p03-requests");
    await staff.page.getByRole("button", { name: "Done…" }).click();
    await answerDialog(staff.page, "Mark as done");
    await staff.page.getByText("Nothing is open").waitFor();
    await page.reload();
    await own.getByText("Done", { exact: true }).waitFor();
    await shootBoth(page, "p04-privacy");
  });

  test("everything about oneself is one file, for the password, and holds what was given", async () => {
    const { page } = ada;
    const key = { name: KEY_NAME, scopes: ["devices:read" as const], expires_in_days: 1, password: PASSWORD };
    await adaApi.client.apiKeys.create({ body: key });
    await page.getByRole("button", { name: "Download…" }).click();
    await answerDialog(page, "Download", { password: "not the password" });
    await page.getByText("The password is wrong.").waitFor();
    await shootBoth(page, "p05-export");
    const downloading = page.waitForEvent("download");
    await answerDialog(page, "Download", { password: PASSWORD });
    const download = await downloading;
    expect(download.suggestedFilename()).toBe("everything-about-me.json");
    const everything = JSON.parse(await readFile(await download.path(), "utf8"));
    expect(everything).toMatchObject({ format: "securewave-export", account_id: adaApi.accountId });
    const itemsOf = (name: string) =>
      everything.sections.find((section: { name: string }) => section.name === name).items;
    expect(itemsOf("account")).toMatchObject([{ email: ADA }]);
    expect(itemsOf("api_keys")).toMatchObject([{ name: KEY_NAME }]);
    expect(itemsOf("privacy_requests")).toMatchObject([{ text: QUESTION, state: "done" }]);
    expect(itemsOf("policy_agreements")).toMatchObject([{ version: "1" }]);
    expect(itemsOf("consents")).toHaveLength(1);
    expect(JSON.stringify(everything)).not.toMatch(/\$argon2|_sealed|_hash/);
  });

  test("a deletion takes the password, tells its day, and is taken back by its owner or by staff", async () => {
    const { page } = ada;
    await page.goto(`${origin}/account/privacy`);
    await page.getByRole("button", { name: "Delete account…" }).click();
    await answerDialog(page, "Delete account", { password: "not the password" });
    await page.getByText("The password is wrong.").waitFor();
    expect((await adaApi.client.privacy.show()).deletion).toBeNull();
    await answerDialog(page, "Delete account", { password: PASSWORD });
    await page.getByText("Until then it works as before").waitFor();
    await shootBoth(page, "p06-deletion");
    await page.getByRole("button", { name: "Keep my account…" }).click();
    await answerDialog(page, "Keep it");
    await page.getByRole("button", { name: "Delete account…" }).waitFor();
    expect((await adaApi.client.privacy.show()).deletion).toBeNull();

    await staff.page.goto(`${origin}/admin/users`);
    const more = staff.page.getByRole("button", { name: `More for ${ADA}` });
    await more.click();
    await staff.page.getByRole("button", { name: "Delete…" }).click();
    await shootBoth(staff.page, "p07-delete-user");
    await answerDialog(staff.page, "Delete");
    await staff.page.getByText(`${ADA} is erased on`).first().waitFor();
    await more.click();
    await staff.page.getByText("It is erased on").waitFor();
    await shootBoth(staff.page, "p08-keep-user");
    await staff.page.getByRole("button", { name: "Keep…" }).click();
    await answerDialog(staff.page, "Keep");
    await staff.page.getByText(`${ADA} stays.`).first().waitFor();
    expect((await adaApi.client.privacy.show()).deletion).toBeNull();
  });

  test("whoever is erased can log in no more, and stands in no table and no file but the letters", async () => {
    const { page } = ada;
    await plane.process.stop(15_000);
    plane = await startControlPlane({ dir: dir.path, port, env: { DELETION_GRACE_DAYS: "0" } });
    expect(await tablesHolding(adaApi.accountId)).toContain("public.accounts");
    await page.goto(`${origin}/account/privacy`);
    await page.getByRole("button", { name: "Delete account…" }).click();
    await shoot(page, "p09-no-grace");
    await answerDialog(page, "Delete account", { password: PASSWORD });
    await eventually(
      async () => {
        const held = await tablesHolding(adaApi.accountId);
        if (held.includes("public.accounts")) throw new Error("the account is not erased yet");
      },
      { timeoutMs: ERASED_TIMEOUT_MS },
    );
    await page.goto(`${origin}/account/privacy`);
    await page.waitForURL(`${origin}/log-in*`);
    await logInOnPage(page, ADA, PASSWORD);
    await page.getByText("Mail address or password is wrong.").waitFor();

    for (const canary of [ADA, QUESTION, KEY_NAME]) {
      expect(await tablesHolding(canary), canary).toEqual([]);
      const files = await filesHolding(dataDir(), Buffer.from(canary));
      expect(
        files.filter((path) => !path.startsWith(outbox())),
        canary,
      ).toEqual([]);
    }
    // Letters are kept here since there is no mail server: so what is sought can be found.
    expect(await filesHolding(outbox(), Buffer.from(ADA))).not.toEqual([]);
    const { client } = await logIn(plane.url, admin.email);
    expect((await client.accounts.list({ query: { search: ADA } })).items).toEqual([]);
  });

  test("no page complained", () => {
    for (const { seen } of [ada, staff]) {
      expect(seen.complaints()).toEqual([]);
      expect(seen.slowedDown()).toEqual([]);
    }
  });
});
