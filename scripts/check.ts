/** `npm run check`: types, lint, boundaries between the parts, lock file, unused code, the privacy catalogue. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Outcome, ROOT, runCommand, runNodeScript, stopCommands } from "./commands.ts";

interface Check {
  name: string;
  run(): Promise<Outcome>;
}

/** Two at a time, the longest first: that fills two cores. */
const AT_ONCE = 2;

function listChecks(): Check[] {
  const consoleConfig = "apps/console/tsconfig.json";
  const browserConfig = "apps/console/tsconfig.browser.json";
  // Several checkers would each work out the types of the API; what was checked before is kept.
  const types = (config: string, keptAt: string) => () =>
    runNodeScript("typescript/bin/tsc", [
      ...["-p", config, "--noEmit", "--checkers", "1"],
      ...["--incremental", "--tsBuildInfoFile", join(ROOT, ".cache", keptAt)],
    ]);
  const parts = ["apps", "packages", "bench", "e2e", "scripts", "vitest.config.ts"].filter((part) =>
    existsSync(join(ROOT, part)),
  );
  const boundaries = ["--config", ".dependency-cruiser.mjs", "--output-type", "err-long", ...parts];
  return [
    {
      name: "boundaries",
      run: () => runNodeScript("dependency-cruiser/bin/dependency-cruiser.mjs", boundaries),
    },
    { name: "types", run: types(".", "types.tsbuildinfo") },
    ...(existsSync(join(ROOT, consoleConfig))
      ? [
          { name: "types of the console", run: types(consoleConfig, "console-types.tsbuildinfo") },
          { name: "types of what a browser loads", run: types(browserConfig, "browser-types.tsbuildinfo") },
        ]
      : []),
    { name: "lint and format", run: () => runCommand(join(ROOT, "node_modules/.bin/biome"), ["check", "."]) },
    // npm installs with a lock file that `npm ci` refuses, so that only a fresh copy would show it.
    { name: "lock file", run: () => runCommand("npm", ["ci", "--dry-run", "--offline", "--loglevel=error"]) },
    {
      name: "privacy catalogue",
      run: () => runCommand(process.execPath, [join(ROOT, "scripts/privacy.ts")]),
    },
    { name: "migrations", run: () => runCommand(process.execPath, [join(ROOT, "scripts/migrations.ts")]) },
    { name: "unused", run: () => runNodeScript("knip/bin/knip.js", ["--no-progress"]) },
  ];
}

async function main(): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      stopCommands();
      process.exit(1);
    });
  }
  const waiting = listChecks();
  const failed: string[] = [];
  const work = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const { code, output, seconds } = await check.run();
      console.log(`${code === 0 ? "ok    " : "FAILED"} ${check.name} (${seconds.toFixed(1)} s)`);
      if (code === 0) continue;
      failed.push(check.name);
      console.log(output.trimEnd().replace(/^/gm, "    "));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (failed.length > 0) {
    console.log(`\nFailed: ${failed.join(", ")}`);
    process.exitCode = 1;
  }
}

await main();
