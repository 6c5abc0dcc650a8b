import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { skipReporter } from "./packages/testing/skip-reporter.ts";

const PROCESSORS = availableParallelism();

/** Starts the PostgreSQL that the tests share, once for all files. */
const databaseSetup = "packages/database/testing-global-setup.ts";
const globalSetup = existsSync(new URL(databaseSetup, import.meta.url)) ? [databaseSetup] : [];
const e2eFiles = "**/*.e2e.test.ts";
/** Those that measure speeds or times, or promise how soon something is noticed: one at a time, with the machine to itself. */
const aloneFiles = [
  "apps/control-plane/twins/*.e2e.test.ts",
  "apps/drills/*.e2e.test.ts",
  "apps/node-agent/{flood-limits,shaping}.e2e.test.ts",
  "e2e/{high-availability,replicas}.e2e.test.ts",
];
/** How long is waited: only a failure takes it, also where much else runs. */
const patience = { expect: { poll: { timeout: 20_000 } }, testTimeout: 120_000, hookTimeout: 120_000 };
const ignored = ["**/node_modules/**", "**/dist/**"];

export default defineConfig({
  test: {
    reporters: ["default", skipReporter()],
    passWithNoTests: false,
    // Tests wait for databases and programs, and whole services more than they reckon.
    maxWorkers: PROCESSORS + 1,
    // Here it runs once; in a project it would run once for each.
    globalSetup,
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.{ts,tsx}"],
          exclude: [...ignored, e2eFiles],
          ...patience,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Whole services, browsers and tunnels, once the short tests are done.
        test: {
          name: "e2e",
          include: [e2eFiles],
          exclude: [...ignored, ...aloneFiles],
          ...patience,
          maxWorkers: 2 * PROCESSORS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "e2e-alone",
          include: aloneFiles,
          exclude: ignored,
          ...patience,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
