import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { requirements } from "@securewave/testing/requirements";
import { afterAll, beforeAll, expect, test } from "vitest";
import { examineLogging } from "./demands.ts";
import { openDatabase } from "./open.ts";
import { examineSettings, renderSettings, WISHES } from "./settings-advice.ts";
import { openTestDatabase, type TestDatabase } from "./testing.ts";
import { setup } from "./testing-global-setup.ts";
import { missingServer, openTestServer } from "./testing-server.ts";

const needs = requirements({ others: [missingServer()] });
let teardown: (() => Promise<void>) | undefined;
let embedded: TestDatabase;

beforeAll(async () => {
  if (process.env.TEST_DATABASE_TEMPLATE === undefined) teardown = await setup();
  embedded = await openTestDatabase();
});

afterAll(async () => {
  await embedded?.close();
  await teardown?.();
});

test("the file for a server of one's own is what is advised", async () => {
  const path = join(import.meta.dirname, "../../deploy/database/postgresql.conf");
  expect(renderSettings()).toBe(await readFile(path, "utf8"));
});

test("what is otherwise than advised is found, with what it had better be", async () => {
  const wrong = (await examineSettings(embedded.pool, "embedded")).filter(({ isMet }) => !isMet);
  // The tests' own server forgets what a crash of the system would lose.
  expect(wrong.map(({ name, value, wanted }) => [name, value, wanted])).toEqual([
    ["fsync", "off", "on"],
    ["full_page_writes", "off", "on"],
    ["synchronous_commit", "off", "on, remote_write or remote_apply"],
  ]);
});

test.skipIf(!needs.ok)(
  "a server that is set by the file meets all that is advised, and writes no values down",
  async () => {
    const lines = renderSettings()
      .split("\n")
      .filter((line) => /^\w+ = /.test(line));
    const settings = Object.fromEntries(
      lines.map((line) => {
        const [name = "", value = ""] = line.split(" = ");
        return [name, value.replace(/^'(.*)'$/, "$1")] as const;
      }),
    );
    const server = await openTestServer({ settings });
    const database = await openDatabase({ url: server.url, poolMax: 1, statementTimeoutMs: 5_000 });
    const wrong = (await examineSettings(database.pool, "postgres")).filter(({ isMet }) => !isMet);
    expect(wrong.map(({ name }) => name)).toEqual(["data_checksums"]); // chosen when a server is made
    expect(await examineLogging(database.pool)).toEqual([]);
    await database.close();
    await server.close();
  },
);

test("each setting is advised once, with a reason", () => {
  expect(new Set(WISHES.map(({ name }) => name)).size).toBe(WISHES.length);
  for (const { name, why } of WISHES) expect(why.length, name).toBeGreaterThan(20);
});
