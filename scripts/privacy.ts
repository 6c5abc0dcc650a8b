/** `npm run check`: what code logs, queues, sends and writes is in the catalogue (packages/privacy). */
import { globSync } from "node:fs";
import { catalogue, describeFinding, findInSource, findReaches, reaches } from "@securewave/privacy";
import { ROOT } from "./commands.ts";
import { readSourceFacts } from "./source-facts.ts";

const files = listSources().map((path) => readSourceFacts(ROOT, path));
const findings = [...findInSource(files, catalogue), ...findReaches(files, reaches, catalogue)];
for (const finding of findings) console.log(describeFinding(finding));
if (findings.length > 0) process.exitCode = 1;

/** All that runs in production. */
function listSources(): string[] {
  const isTest =
    /(\.test\.tsx?|(^|\/)testing(-[^/]+)?\.ts|\/testing-[^/]+\.ts)$|\/(testing|test|attacks|example|stand-ins)\//;
  return globSync("{apps,packages}/**/*.{ts,tsx}", {
    cwd: ROOT,
    exclude: (name) => /(^|\/)(node_modules|dist)$/.test(name),
  })
    .filter(
      (path) =>
        !isTest.test(path) && !path.startsWith("packages/testing/") && !path.startsWith("packages/ghosts/"),
    )
    .sort();
}
