import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** All modules of the package that a file loads, itself included, with what they import from elsewhere. */
function importsFrom(file: string, seen = new Map<string, string[]>()): Map<string, string[]> {
  if (seen.has(file)) return seen;
  const source = readFileSync(new URL(file, import.meta.url), "utf8");
  const imported = [...source.matchAll(/from "([^"]+)"/g)].map(([, name = ""]) => name);
  seen.set(
    file,
    imported.filter((name) => !name.startsWith("./")),
  );
  for (const name of imported) if (name.startsWith("./")) importsFrom(name, seen);
  return seen;
}

test("the index loads nothing that a browser lacks", () => {
  const imports = importsFrom("./index.ts");
  expect(imports.size).toBeGreaterThan(6);
  for (const [file, names] of imports)
    expect(names, file).not.toContainEqual(expect.stringMatching(/^node:/));
});

test("the examples of the README print what it says", () => {
  const readme = readFileSync(new URL("README.md", import.meta.url), "utf8");
  const examples = [...readme.matchAll(/```ts\n(.*?)```\n\n```text\n(.*?)```/gs)];
  expect(examples).toHaveLength(3);
  for (const [, code = "", output] of examples) {
    const args = ["--input-type=module-typescript", "--eval", code];
    expect(execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" })).toBe(output);
  }
});
