import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { skipReporter } from "./packages/testing/skip-reporter.ts";

/** Starts the PostgreSQL that the tests share, once for all files. */
const databaseSetup = "packages/database/testing-global-setup.ts";
const globalSetup = existsSync(new URL(databaseSetup, import.meta.url)) ? [databaseSetup] : [];
const e2eFiles = "**/*.e2e.test.ts";
/** Those that only wait for programs and browsers: nothing in them measures a speed or a network. */
const sideBySideFiles = [
  "apps/console/test/*.e2e.test.ts",
  "apps/control-plane/modules/alerts/*.e2e.test.ts",
  "e2e/{cli,cli-security,console,crash,log-in,privacy,security,start}.e2e.test.ts",
  "packages/testing/browser.e2e.test.ts",
];
/** How long `expect.poll` tries: only a failure takes it, also where much else runs. */
const polling = { poll: { timeout: 20_000 } };
const ignored = ["**/node_modules/**", "**/dist/**"];

export default defineConfig({
  test: {
    reporters: ["default", skipReporter()],
    passWithNoTests: false,
    maxWorkers: "100%",
    // Here it runs once; in a project it would run once for each.
    globalSetup,
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.{ts,tsx}"],
          exclude: [...ignored, e2eFiles],
          expect: polling,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Whole services and browsers, once the short tests are done.
        test: {
          name: "e2e-side-by-side",
          include: sideBySideFiles,
          exclude: ignored,
          expect: polling,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Tunnels and whatever measures: one file at a time, with the machine to itself.
        test: {
          name: "e2e",
          include: [e2eFiles],
          exclude: [...ignored, ...sideBySideFiles],
          expect: polling,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
