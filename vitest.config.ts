import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { skipReporter } from "./packages/testing/skip-reporter.ts";

/** Starts the PostgreSQL that the tests share, once for all files. */
const databaseSetup = "packages/database/testing-global-setup.ts";
const globalSetup = existsSync(new URL(databaseSetup, import.meta.url)) ? [databaseSetup] : [];
const e2eFiles = "**/*.e2e.test.ts";
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
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Whole services, browsers and tunnels: one file at a time, once the short tests are done.
        test: {
          name: "e2e",
          include: [e2eFiles],
          exclude: ignored,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
