import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Browser,
  browserRequirements,
  connectWireGuard,
  createNetworkLab,
  decodeQr,
  eventually,
  forwardPort,
  LAB_ADDRESSES,
  labRequirements,
  type NetworkLab,
  openBrowser,
  type PortForward,
  ping,
  requirements,
  type TemporaryDir,
  temporaryDir,
  type WireGuardClient,
} from "@securewave/testing";
import { parseConfig } from "@securewave/wireguard";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  logInButton,
  logInOnPage,
  type Observer,
  observe,
  overhang,
  PHONE,
  shoot,
  storedBy,
  tabTo,
} from "./console-pages.ts";
import { type ControlPlane, dataDirOf, killControlPlane, startControlPlane } from "./control-plane.ts";
import { joinNode, type NodeMachine } from "./node-agent.ts";
import { logIn, mailedLink, PASSWORD, type Person } from "./people.ts";
import { processesOf } from "./remains.ts";

const PORT = 8000;
/** Plain HTTP to another machine, where a browser offers pages less than over HTTPS: what works here works there. */
const ORIGIN = `http://${LAB_ADDRESSES.control.v4}:${PORT}`;
const ADMIN = "admin@example.org";
const ADA = "ada@example.org";
/** Pages look for news every few seconds, and nodes report every five. */
const NEWS_TIMEOUT_MS = 20_000;

const browserNeeds = browserRequirements(["zbarimg"]);
const labNeeds = labRequirements();
const machine = requirements({ others: [browserNeeds.reason || undefined, labNeeds.reason || undefined] });

describe.skipIf(!machine.ok)(machine.title("the console"), { timeout: 180_000 }, () => {
  let dir: TemporaryDir;
  let scene: NetworkLab;
  let way: PortForward;
  let plane: ControlPlane;
  let admin: { browser: Browser; page: Page; seen: Observer };
  let ada: { browser: Browser; page: Page; seen: Observer };
  let node: NodeMachine;
  let adminApi: Person;
  let configuration: string;
  let tunnel: WireGuardClient;

  const startPlane = () =>
    startControlPlane({
      dir: dir.path,
      namespace: scene.control,
      port: PORT,
      env: { PUBLIC_URL: ORIGIN },
    });

  async function openAs() {
    const browser = await openBrowser({ namespace: scene.control });
    const seen = observe(browser);
    const page = await browser.newPage();
    page.setDefaultTimeout(NEWS_TIMEOUT_MS);
    return { browser, page, seen };
  }

  beforeAll(async () => {
    dir = temporaryDir("console");
    scene = await createNetworkLab();
    way = await forwardPort(scene.control, { host: "127.0.0.1", port: PORT });
    plane = await startPlane();
    admin = await openAs();
    ada = await openAs();
  }, 240_000);

  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    await shoot(admin.page, "99-failed-admin");
    await shoot(ada.page, "99-failed-ada");
  });

  afterAll(async () => {
    await tunnel?.down();
    await admin?.browser.close();
    await ada?.browser.close();
    await plane?.process.stop();
    await node?.[Symbol.asyncDispose]();
    await way?.close();
    await scene?.destroy();
    expect(await processesOf(dir.path)).toEqual([]);
    dir.remove();
  });

  test("the printed link makes the first admin, who is logged in then", async () => {
    const { page } = admin;
    await page.goto(`${ORIGIN}/log-in`);
    await page.getByText("This service is new").waitFor();
    await shoot(page, "01-log-in-new");
    await page.goto(plane.setupLink ?? "");
    await page.locator("input[name=email]").fill(ADMIN);
    await page.locator("input[name=password]").fill(PASSWORD);
    await shoot(page, "02-set-up");
    await page.getByRole("button", { name: "Make the admin" }).click();
    await page.waitForURL(`${ORIGIN}/admin`);
    // The token is not left in the address bar's history.
    expect(page.url()).not.toContain("token");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await shoot(page, "03-overview-empty");
    adminApi = await logIn(`http://127.0.0.1:${way.port}`, ADMIN);
  });

  test("a node is registered, its page shows the command, and tells that it has joined without a reload", async () => {
    const { page } = admin;
    await page.goto(`${ORIGIN}/admin/nodes`);
    await page.getByRole("link", { name: "Add node" }).click();
    await page.locator("input[name=name]").fill("EU-Lab-1");
    await page.locator("input[name=region]").fill("Laboratory");
    await page.getByRole("button", { name: "Register node" }).click();
    const shown = page.getByText("--token ").first();
    await shown.waitFor();
    await shoot(page, "04-node-join");
    const command = (await shown.innerText()).trim();
    const [registered] = (await adminApi.client.nodes.list()).items;
    expect(registered?.state).toBe("joining");
    if (registered === undefined) throw new Error("the node is not listed");
    node = await joinNode({
      admin: adminApi,
      namespace: scene.node,
      registered: { node: registered, command },
      endpoint: LAB_ADDRESSES.nodeForCustomer.v4,
    });
    await page.getByText("EU-Lab-1 has joined and is healthy.").waitFor();
    await shoot(page, "05-node-joined");
    await page.getByRole("link", { name: "To the node" }).click();
    await page.getByText("Healthy", { exact: true }).waitFor();
    await shoot(page, "06-node");
  });

  test("a visitor signs up, follows the link in the mail, and logs in", async () => {
    const { page } = ada;
    await page.goto(`${ORIGIN}/sign-up`);
    await page.locator("input[name=email]").fill(ADA);
    await page.locator("input[name=password]").fill(PASSWORD);
    await shoot(page, "10-sign-up");
    await page.locator("input[name=policy_version]").check();
    await page.getByRole("button", { name: "Sign up" }).click();
    await page.getByRole("heading", { name: "Check your mail" }).waitFor();
    await shoot(page, "11-check-mail");
    await page.goto(`${ORIGIN}/log-in`);
    await logInOnPage(page, ADA, PASSWORD);
    await page.getByText("Confirm your mail address first").waitFor();
    await page.goto(await mailedLink(join(dataDirOf(dir.path), "outbox"), ADA));
    await page.getByText("Address confirmed").waitFor();
    await shoot(page, "12-confirmed");
    await page.getByRole("link", { name: "Log in" }).click();
    await logInOnPage(page, ADA, "not the password");
    await page.getByText("Mail address or password is wrong.").waitFor();
    await shoot(page, "13-wrong-password");
    await logInOnPage(page, ADA, PASSWORD);
    await page.waitForURL(`${ORIGIN}/devices`);
    await page.getByText("Add your first device").waitFor();
    await shoot(page, "14-no-devices");
  });

  test("a device's code on the screen is its file, byte for byte, and its key stays in the page", async () => {
    const { page, seen } = ada;
    await page.getByRole("link", { name: "Add device" }).click();
    await page.locator("input[name=name]").fill("Ada’s phone");
    await shoot(page, "20-new-device");
    await page.getByRole("button", { name: "Add device" }).click();
    await page.getByText("Take the config along before you leave").waitFor();
    await shoot(page, "21-added-device");

    const picture = await page.screenshot({ type: "png" });
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: /^Download / }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toMatch(/^[A-Za-z0-9_=+.-]{1,15}\.conf$/);
    const bytes = await readFile(await download.path());
    configuration = bytes.toString("utf8");
    const decoded = decodeQr(picture);
    expect(decoded === undefined ? undefined : Buffer.from(decoded)).toEqual(bytes);

    const key = parseConfig(configuration)?.privateKey;
    expect(key).toBeDefined();
    const needles = [
      key ?? "",
      Buffer.from(key ?? "", "base64").toString("hex"),
      encodeURIComponent(key ?? ""),
    ];
    const sent = seen.sent();
    expect(sent.some((request) => request.includes("/api/vpn/devices"))).toBe(true);
    for (const needle of needles) {
      expect(sent.filter((request) => request.includes(needle))).toEqual([]);
      expect(await storedBy(page)).not.toContain(needle);
    }
  });

  test("the page tells that the device is connected as soon as it is", async () => {
    const { page } = ada;
    await page.getByText("Waiting for the first connection").waitFor();
    tunnel = await connectWireGuard(scene.customer, configuration);
    expect(await ping(scene.customer, LAB_ADDRESSES.internet.v4)).toBe(true);
    await page.getByText("Connected. The tunnel works.").waitFor();
    await shoot(page, "22-connected");
    await page.getByRole("link", { name: "Done" }).click();
    await page.getByText("1 of 1 device connected").waitFor();
    await shoot(page, "23-devices");
  });

  test("a revoked device is shown as such, and its tunnel is over", async () => {
    const { page } = ada;
    await page.getByRole("link", { name: "Ada’s phone" }).click();
    await page.getByText("Known in memory while you are connected").waitFor();
    await page.getByText("Connected", { exact: true }).waitFor();
    await shoot(page, "24-device");
    await page.getByRole("button", { name: "Revoke…" }).click();
    await shoot(page, "25-revoke");
    await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
    await page.getByText("This device was revoked").waitFor();
    await shoot(page, "26-revoked");
    await eventually(async () => {
      expect(await ping(scene.customer, LAB_ADDRESSES.internet.v4, { timeoutMs: 500 })).toBe(false);
    });
  });

  test("with the keyboard alone one logs in and adds a device", async () => {
    await using browser = await openBrowser({ namespace: scene.control });
    const page = await browser.newPage();
    await page.goto(`${ORIGIN}/log-in`);
    await logInButton(page).waitFor();
    const { keyboard } = page;
    await tabTo(page, "input[name=email]");
    await keyboard.type(ADA);
    await tabTo(page, "input[name=password]");
    await keyboard.type(PASSWORD);
    await keyboard.press("Enter");
    await page.waitForURL(`${ORIGIN}/devices`);
    await page.getByText("Ada’s phone").waitFor();
    await tabTo(page, 'a[href="/devices/new"]');
    await keyboard.press("Enter");
    await page.locator("input[name=name]").waitFor();
    await tabTo(page, "input[name=name]");
    await keyboard.type("Tablet");
    await tabTo(page, "input[name=type]");
    await keyboard.press("ArrowRight");
    await shoot(page, "30-keyboard");
    await tabTo(page, "button[type=submit]");
    await keyboard.press("Enter");
    await page.getByText("Tablet is ready to connect").waitFor();
    const { items } = await (await logIn(`http://127.0.0.1:${way.port}`, ADA)).client.devices.list();
    expect(items.find(({ name }) => name === "Tablet")).toMatchObject({
      type: "tablet",
      key_origin: "customer",
    });
  });

  test("an operator closes registration, and who had the form open is refused in words", async () => {
    await using browser = await openBrowser({ namespace: scene.control });
    const page = await browser.newPage();
    await page.goto(`${ORIGIN}/sign-up`);
    await page.locator("input[name=email]").fill("late@example.org");
    await page.locator("input[name=password]").fill(PASSWORD);

    const { page: adminPage } = admin;
    await adminPage.goto(`${ORIGIN}/admin/settings`);
    await adminPage.locator("select[name=registration]").selectOption("closed");
    await shoot(adminPage, "31-settings");
    await adminPage.getByRole("button", { name: "Save settings" }).click();
    await adminPage.getByText("Saved.").first().waitFor();

    await page.locator("input[name=policy_version]").check();
    await page.getByRole("button", { name: "Sign up" }).click();
    await page.getByText("Registration is closed").first().waitFor();
    await shoot(page, "32-closed-late");
    await page.goto(`${ORIGIN}/sign-up`);
    await page.getByRole("heading", { name: "Registration is closed" }).waitFor();
    await shoot(page, "33-closed");
  });

  test("no page is wider than a phone", async () => {
    const { page } = admin;
    const [listed] = (await adminApi.client.nodes.list()).items;
    const paths = ["/admin", "/admin/nodes", "/admin/nodes/new", `/admin/nodes/${listed?.id}`];
    paths.push(
      ...["users", "blocks", "audit", "keys", "settings"].map((name) => `/admin/${name}`),
      ...["", "/security", "/api-keys", "/api-keys/new"].map((name) => `/account${name}`),
      ...["/servers", "/devices", "/devices/new", "/nowhere"],
    );
    await page.setViewportSize(PHONE);
    await expectNarrow(page, paths, "40-admin");
    await page.setViewportSize({ width: 1280, height: 800 });

    await ada.page.setViewportSize(PHONE);
    const { items } = await (await logIn(`http://127.0.0.1:${way.port}`, ADA)).client.devices.list();
    await expectNarrow(ada.page, ["/devices", ...items.map(({ id }) => `/devices/${id}`)], "41-ada");
    await ada.page.goto(`${ORIGIN}/devices/new`);
    await ada.page
      .locator("input[name=name]")
      .fill("A device with a name as long as names of devices may be here");
    await ada.page.getByRole("button", { name: "Add device" }).click();
    await ada.page.getByText("Take the config along").waitFor();
    await shoot(ada.page, "42-phone-added");
    expect(await overhang(ada.page)).toBe(0);
    // Also there the code is large enough to be read.
    const picture = await ada.page.screenshot({ type: "png", fullPage: true });
    expect(decodeQr(picture)).toMatch(/^\[Interface\]/);
    await ada.page.getByRole("button", { name: /^Download / }).click();
    await ada.page.setViewportSize({ width: 1280, height: 800 });
  });

  test("a reload keeps the log-in, and logging out ends it for the page and the cookie", async () => {
    const { page } = ada;
    await page.goto(`${ORIGIN}/devices`);
    await page.reload();
    await page.getByText("Tablet").waitFor();
    const cookie = (await page.context().cookies()).find(({ name }) => name === "securewave_session");
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
    const ask = () =>
      fetch(`http://127.0.0.1:${way.port}/api/account`, {
        headers: { cookie: `${cookie?.name}=${cookie?.value}` },
      });
    expect((await ask()).status).toBe(200);

    await page.goto(`${ORIGIN}/account`);
    await shoot(page, "50-account");
    await page.getByRole("button", { name: "Log out", exact: true }).first().click();
    await page.waitForURL(`${ORIGIN}/log-in*`);
    expect((await ask()).status).toBe(401);
    await page.goto(`${ORIGIN}/devices`);
    await page.waitForURL(`${ORIGIN}/log-in*`);
    await logInButton(page).waitFor();
  });

  test("nothing of all this went against the Content-Security-Policy or into the console as an error", () => {
    expect(admin.seen.complaints()).toEqual([]);
    expect(ada.seen.complaints()).toEqual([]);
  });

  test("a page says when the service is away, and goes on by itself when it is back", async () => {
    const { page } = admin;
    await page.emulateMedia({ colorScheme: "dark" });
    await page.goto(`${ORIGIN}/admin/nodes`);
    await page.getByRole("table").getByText("Healthy", { exact: true }).waitFor();
    await killControlPlane(plane);
    await page.getByText("The service cannot be reached").waitFor();
    await shoot(page, "60-away");
    plane = await startPlane();
    await page.getByText("The service cannot be reached").waitFor({ state: "hidden" });
    await page.getByRole("table").getByText("Healthy", { exact: true }).waitFor({ timeout: 40_000 });
    await shoot(page, "61-back");
    await page.emulateMedia({ colorScheme: "light" });
  });

  async function expectNarrow(page: Page, paths: readonly string[], prefix: string): Promise<void> {
    for (const path of paths) {
      await page.goto(ORIGIN + path);
      await page.getByRole("heading", { level: 1 }).first().waitFor();
      await page.waitForLoadState("load");
      await shoot(page, `${prefix}${path.replaceAll("/", "-")}`);
      expect(await overhang(page), path).toBeLessThanOrEqual(0);
    }
  }
});
