import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");
const document = read("docs/asvs.md");
const rows = [...document.matchAll(/^\| (V[\d.]+) \| ([a-z ]+) \| (.*) \| (.*) \|$/gm)].map(
  ([, line = "", answer = "", , shownBy = ""]) => ({ line, answer, shownBy }),
);

/** The files that a cell names, each with the titles of its tests that are quoted behind it. */
function cited(cell: string): { path: string; titles: string[] }[] {
  return cell
    .split(/(?=`[\w./-]+\.\w+`)/)
    .map((part) => ({
      path: /^`([\w./-]+\.\w+)`/.exec(part)?.[1] ?? "",
      titles: [...part.matchAll(/"([^"]{12,})"/g)].map(([, title = ""]) => title),
    }))
    .filter(({ path }) => path.includes("/"));
}

describe("docs/asvs.md", () => {
  test.each(["met", "partly", "not met", "not applicable"])("counts its lines that are %s", (answer) => {
    const count = rows.filter((row) => row.answer === answer).length;
    expect(document).toContain(`${count} ${answer}`);
  });

  test("names files that there are, and tests that stand in them", () => {
    const missing = rows.flatMap(({ line, shownBy }) =>
      cited(shownBy).flatMap(({ path, titles }) => {
        if (!existsSync(new URL(path, ROOT))) return [`${line}: ${path}`];
        const text = path.endsWith(".test.ts") ? read(path) : undefined;
        return titles.filter((title) => text?.includes(title) === false).map((title) => `${line}: ${title}`);
      }),
    );
    expect(missing).toEqual([]);
  });

  test("says nothing is met without naming what shows it", () => {
    for (const { line, answer, shownBy } of rows)
      if (answer === "met") expect(cited(shownBy).length, line).toBeGreaterThan(0);
  });
});
