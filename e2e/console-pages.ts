import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Browser, screenshot } from "@securewave/testing";
import type { Locator, Page } from "playwright-core";

/** What a browser did and complained about while its pages were used. */
export interface Observer {
  /** Everything that left the pages: method, address, headers and body of each request. */
  sent(): string[];
  /** Errors in the console, uncaught exceptions, breaches of the Content-Security-Policy, and failures of the service. */
  complaints(): string[];
  /** What was answered that too much was asked, and the limit that says so. */
  slowedDown(): string[];
}

/** The browser's own line for every answer of 400 and above: it does not say of what. */
const REFUSED_ANSWER = /^Failed to load resource: the server responded with a status of [45]\d\d/;

const EXPECTED = [REFUSED_ANSWER];

/** Notes from now on what pages send and what goes wrong in them. */
export function observe({ context }: Browser): Observer {
  const sent: string[] = [];
  const complaints: string[] = [];
  const slowedDown: string[] = [];
  context.on("request", (request) => {
    const headers = JSON.stringify(request.headers());
    sent.push(`${request.method()} ${request.url()} ${headers} ${request.postData() ?? ""}`);
  });
  context.on("response", (response) => {
    const status = response.status();
    const asked = `${response.request().method()} ${response.url()}`;
    if (status === 429) slowedDown.push(`${asked} ${response.headers().ratelimit}`);
    if (status >= 500) complaints.push(`${asked} was answered ${status}`);
  });
  context.on("console", (message) => {
    const isExpected = EXPECTED.some((pattern) => pattern.test(message.text()));
    if (message.type() === "error" && !isExpected) complaints.push(message.text());
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  return { sent: () => sent, complaints: () => complaints, slowedDown: () => slowedDown };
}

/** Everything that the pages of this origin have stored in the browser, as text. */
export async function storedBy(page: Page): Promise<string> {
  const stores = await page.evaluate(
    "Promise.all([JSON.stringify(localStorage), JSON.stringify(sessionStorage), indexedDB.databases().then(JSON.stringify)])",
  );
  const cookies = await page.context().cookies();
  return JSON.stringify([stores, cookies]);
}

export async function logInOnPage(page: Page, email: string, password: string): Promise<void> {
  await page.locator("input[name=email]").fill(email);
  await page.locator("input[name=password]").fill(password);
  await logInButton(page).click();
}

/** The button of the form; there is one for passkeys too, where the browser has them. */
export function logInButton(page: Page): Locator {
  return page.getByRole("button", { name: "Log in", exact: true });
}

/** How many pixels a page is wider than its window. */
export async function overhang(page: Page): Promise<number> {
  return Number(
    await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
  );
}

const TABS_MAX = 80;

/** Presses Tab until the focus is on what a selector names. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let tabs = 0; tabs < TABS_MAX; tabs++) {
    if (await page.locator(`${selector}:focus`).count()) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${TABS_MAX} times Tab did not lead to ${selector}`);
}

const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** Two pictures: light on a desktop, dark on a phone. */
export async function shootBoth(page: Page, name: string): Promise<void> {
  await shoot(page, name);
  await page.setViewportSize(PHONE);
  await page.emulateMedia({ colorScheme: "dark" });
  await shoot(page, `${name}-phone`);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(DESKTOP);
}

/** Keeps a picture for people in the folder that E2E_SHOTS_DIR names; without it, none. */
export async function shoot(page: Page, name: string): Promise<void> {
  const dir = process.env.E2E_SHOTS_DIR;
  if (dir === undefined) return;
  await mkdir(dir, { recursive: true });
  await screenshot(page, join(dir, `${name}.png`));
}
