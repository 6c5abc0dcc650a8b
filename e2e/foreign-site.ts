import { createServer } from "node:http";
import { freeTcpPort } from "@securewave/testing";
import type { Page } from "playwright-core";

export interface ForeignSite {
  readonly port: number;
  close(): Promise<void>;
}

/** A site of somebody else on this machine: its pages are empty, and tests let them do what an attacker's would. */
export async function openForeignSite(): Promise<ForeignSite> {
  const port = await freeTcpPort();
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "text/html").end("<!doctype html><title>Win a phone</title>");
  });
  await new Promise<void>((resolve) => server.listen(port, resolve));
  return {
    port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * Lets a page send a request with the cookies of the one who looks at it.
 *
 * @returns what the page gets to see: a status and a text, or `refused` by the browser
 */
export async function fetchFrom(page: Page, url: string, init: RequestInit = {}): Promise<string> {
  const options = JSON.stringify({ credentials: "include", ...init });
  const script = `fetch(${JSON.stringify(url)}, ${options})
    .then(async (answer) => answer.status + " " + (await answer.text()), () => "refused")`;
  return String(await page.evaluate(script));
}

/** Lets a page send a form, which shows the answer in place of the page. */
export async function submitFrom(page: Page, action: string): Promise<string> {
  await Promise.all([
    page.waitForURL(action),
    page.evaluate(`
      const form = document.createElement("form");
      Object.assign(form, { method: "post", enctype: "text/plain", action: ${JSON.stringify(action)} });
      form.innerHTML = '<input name="{" value="}">';
      document.body.append(form);
      form.submit();
    `),
  ]);
  return page.locator("body").innerText();
}
