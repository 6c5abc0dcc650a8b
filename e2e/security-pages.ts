import { setTimeout as pause } from "node:timers/promises";
import type { Page } from "playwright-core";
import { logInButton, logInOnPage } from "./console-pages.ts";

/** A text of the second factor: a code of the app, or a recovery code. */
export interface Factor {
  readonly kind: "app" | "recovery";
  readonly code: string;
}

/** Nobody types a password in less; who does is a program, and meets the limits that are for programs. */
const TYPING_MS = 3000;

export async function logOutOnPage(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/account`);
  await page.getByRole("button", { name: "Log out", exact: true }).first().click();
  await page.waitForURL(`${origin}/log-in*`);
}

/** Logs in as far as the page that asks for the second factor. */
export async function giveCredentials(
  page: Page,
  origin: string,
  { email, password }: { email: string; password: string },
): Promise<void> {
  await page.goto(`${origin}/log-in`);
  await pause(TYPING_MS);
  await logInOnPage(page, email, password);
  await page.getByRole("heading", { name: "One more step" }).waitFor();
}

export async function giveFactor(page: Page, { kind, code }: Factor): Promise<void> {
  const other = page.getByRole("button", { name: "Use a recovery code" });
  if (kind === "recovery" && (await other.isVisible())) await other.click();
  await page.locator("input[name=code]").fill(code);
  await logInButton(page).click();
}

/** Fills the fields of the open dialog and sends it off. */
export async function answerDialog(
  page: Page,
  button: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<void> {
  const dialog = page.getByRole("dialog");
  for (const [name, text] of Object.entries(fields)) await dialog.locator(`input[name=${name}]`).fill(text);
  await dialog.getByRole("button", { name: button, exact: true }).click();
}
