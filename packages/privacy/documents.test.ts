import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { catalogue } from "./catalogue.ts";
import { fillDocument, policyTable, zeroLogTables } from "./documents.ts";

const read = (path: string) => readFileSync(new URL(`../../docs/${path}`, import.meta.url), "utf8");

test("docs/zero-log.md is current (update with: npm test -- packages/privacy -u)", async () => {
  const filled = fillDocument(read("zero-log.md"), "catalogue", zeroLogTables(catalogue));
  expect(filled).toBeDefined();
  await expect(filled).toMatchFileSnapshot("../../docs/zero-log.md");
});

test("docs/privacy-policy.md is current (update likewise)", async () => {
  const filled = fillDocument(read("privacy-policy.md"), "data", policyTable(catalogue));
  expect(filled).toBeDefined();
  await expect(filled).toMatchFileSnapshot("../../docs/privacy-policy.md");
});

test("a document without marks is left alone", () => {
  expect(fillDocument("# Text", "data", "part")).toBeUndefined();
});
