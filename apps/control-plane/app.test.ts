import { openTestDatabase } from "@securewave/database/testing";
import { systemClock } from "@securewave/foundation";
import { createSecret } from "@securewave/foundation/secret";
import { readSettings } from "@securewave/foundation/settings";
import { createJobs } from "@securewave/jobs";
import { temporaryDir } from "@securewave/testing/temporary";
import { expect, test } from "vitest";
import { type App, type AppOptions, createApp } from "./app.ts";
import { settings } from "./config.ts";
import { createLogger } from "./logger.ts";

const OPENING_FAILS = new Error("the database cannot be listened to");

/** @param stopping runs when the app ends its jobs */
async function openOptions(stopping: () => Promise<void>) {
  const database = await openTestDatabase();
  const dir = temporaryDir("app");
  const { settings: config } = readSettings(settings, {
    values: new Map([["DATA_DIR", dir.path]]),
    mistakes: [],
  });
  const options: AppOptions = {
    config,
    database,
    secrets: { jwtSecret: createSecret("a".repeat(32)), masterKey: new Uint8Array(32).fill(7) },
    clock: systemClock,
    logger: createLogger("error", { write() {} }),
    consoleDir: dir.path,
    agentDir: dir.path,
    version: "0.0.0-test",
    createJobs(...given) {
      const jobs = createJobs(...given);
      return { ...jobs, stop: () => stopping().then(jobs.stop) };
    },
  };
  return {
    ...options,
    async [Symbol.asyncDispose]() {
      await database.close();
      dir.remove();
    },
  };
}

test("requests end before jobs do, and jobs before what they use", async () => {
  let app: App | undefined;
  let baseUrl = "";
  const found: unknown[] = [];
  await using options = await openOptions(async () => {
    found.push(await fetch(baseUrl).catch(() => "refused"));
    found.push(await app?.audit.sign().then(() => "signed"));
    found.push(await app?.accounts.findByEmail("nobody@example.org"));
  });
  app = await createApp(options);
  baseUrl = await app.server.listen({ host: "127.0.0.1", port: 0 });
  await app.startJobs();
  expect((await fetch(baseUrl)).status).toBe(404);
  await app.close();
  expect(found).toEqual(["refused", "signed", undefined]);
});

test("what was opened is closed where the last part cannot be opened", async () => {
  let stops = 0;
  await using options = await openOptions(async () => void stops++);
  const database = { ...options.database, listen: () => Promise.reject(OPENING_FAILS) };
  await expect(createApp({ ...options, database })).rejects.toBe(OPENING_FAILS);
  expect(stops).toBe(1);
});
