import { type Browser, openBrowser } from "@securewave/testing/browser";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { type MockApi, startMockApi } from "./mock-api.ts";

export interface TwoPeople {
  readonly mock: MockApi;
  /** Of the customer, anna@example.org. */
  readonly page: Page;
  readonly customerId: string;
  /** Of the admin, ada@example.org. */
  readonly admin: Page;
  /** Sees that no page has complained but of what tests had refused, and that these are no wider than a phone's window. */
  readonly expectQuietAndNarrow: (
    pages: readonly (readonly [opened: Page, path: string])[],
    refusedStatuses?: readonly number[],
  ) => Promise<void>;
}

/** A customer and an admin of a mock, each logged in with a browser of their own, for the tests of one file. */
export function useTwoPeople(): TwoPeople {
  let mock: MockApi;
  let browsers: readonly Browser[] = [];
  let page: Page;
  let admin: Page;
  let customerId: string;
  const complaints: string[] = [];

  async function logIn(email: string): Promise<Page> {
    const browser = await openBrowser();
    browsers = [...browsers, browser];
    const opened = await browser.newPage();
    opened.on("pageerror", (error) => complaints.push(String(error)));
    opened.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await opened.goto(`${mock.url}/log-in`);
    await opened.locator("input[name=email]").fill(email);
    await opened.locator("input[name=password]").fill("correct horse");
    await opened.getByRole("button", { name: "Log in", exact: true }).click();
    await opened.getByRole("navigation", { name: "Main" }).waitFor();
    return opened;
  }

  beforeAll(async () => {
    mock = await startMockApi();
    const customer = mock.state.addAccount("anna@example.org");
    const operator = mock.state.addAccount("ada@example.org", "admin");
    customerId = customer.id;
    page = await logIn(customer.email);
    admin = await logIn(operator.email);
  });
  afterAll(async () => {
    for (const browser of browsers) await browser.close();
    await mock?.close();
  });

  return {
    get mock() {
      return mock;
    },
    get page() {
      return page;
    },
    get customerId() {
      return customerId;
    },
    get admin() {
      return admin;
    },
    async expectQuietAndNarrow(pages, refusedStatuses = []) {
      for (const [opened, path] of pages) {
        await opened.setViewportSize({ width: 390, height: 844 });
        await opened.goto(`${mock.url}${path}`);
        await opened.locator("h1").waitFor();
        const overhang = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        expect([path, await opened.evaluate(overhang)]).toEqual([path, 0]);
      }
      const refused = refusedStatuses.map((status) => expect.stringContaining(`status of ${status} `));
      expect(complaints).toEqual(refused);
    },
  };
}
