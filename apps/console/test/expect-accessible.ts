import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

/** WCAG 2.2 AA, and what the makers of axe found to be good besides. */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

interface Finding {
  readonly rule: string;
  readonly element: string;
}

/** Has axe look at a page as it is at this moment, in the light theme and in the dark one. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const found: readonly Finding[] = await page.evaluate(`axe
      .run(document, { runOnly: ${JSON.stringify(TAGS)}, resultTypes: ["violations"] })
      .then(({ violations }) => violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html }) => ({ rule: id, element: html.slice(0, 200) }))))`);
    expect([colorScheme, page.url(), found]).toEqual([colorScheme, page.url(), []]);
  }
}
