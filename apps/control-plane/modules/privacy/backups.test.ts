import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { migrate, openDatabase } from "@securewave/database";
import { missingServer, openTestServer, type TestServer } from "@securewave/database/testing-server";
import { requirements } from "@securewave/testing/requirements";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, expect, test } from "vitest";
import { openTestApp, PASSWORD } from "../../testing.ts";

type TestApp = Awaited<ReturnType<typeof openTestApp>>;

const needs = requirements({ others: [missingServer()] });
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

const dir = temporaryDir("backups");
closing.push(() => dir.remove());
chmodSync(dir.path, 0o777); // PostgreSQL writes here as another user
const keyPath = join(dir.path, "keys", "data.key");

const ANN = "ann-canary@example.org";
const DEVICE = "Canary's phone in the kitchen";
const WORDS = "canary words of a request";

async function openOn(server: TestServer): Promise<TestApp> {
  const database = await openDatabase({ url: server.url, poolMax: 10, statementTimeoutMs: 20_000 });
  await migrate(database.pool);
  return openTestApp({ settings: { DATA_KEY_FILE: keyPath }, wrapDatabase: () => database });
}

async function fill(
  service: TestApp,
  server: TestServer,
): Promise<{ id: string; number: number; forms: Buffer[] }> {
  const { accounts, dataKeys } = service.app;
  await accounts.create("bea@example.org", PASSWORD, "customer", "system");
  const { id, number, password_hash } = await accounts.create(ANN, PASSWORD, "customer", "system");
  const ann = await service.logIn(ANN);
  await ann.client.privacy.ask({ body: { kind: "other", text: WORDS } });
  await ann.client.apiKeys.create({
    body: { name: "canary-key", scopes: ["devices:read"], expires_in_days: 9, password: PASSWORD },
  });
  const { secret } = await ann.client.secondFactor.begin({ body: { password: PASSWORD } });
  const key = dataKeys.of(number);
  const hex = (bytes: Buffer) => `'\\x${bytes.toString("hex")}'`;
  await server.run(`insert into devices (id, account_id, name_index, name_sealed, type, state, public_key, key_origin,
    created_on) values ('dev_canary', '${id}', ${hex(key.index("devices.name", DEVICE))},
    ${hex(key.seal("devices.name", "dev_canary", DEVICE))}, 'phone', 'revoked', 'none', 'customer', '2026-11-20')`);
  const texts = [ANN, DEVICE, WORDS, "canary-key", secret, password_hash, password_hash.slice(-20)];
  return { id, number, forms: texts.flatMap(formsOf) };
}

/** A text as it may stand in a file: plain, in two bytes a letter, in hex, in base64 at three alignments. */
function formsOf(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].map((lead) => {
    const coded = Buffer.concat([Buffer.alloc(lead), bytes]).toString("base64");
    return coded.slice(lead === 0 ? 0 : lead + 1, -4);
  });
  const forms = [text, text.toUpperCase(), encodeURIComponent(text), bytes.toString("hex"), ...base64];
  return [...forms.map((form) => Buffer.from(form)), Buffer.from(text, "utf16le")];
}

function bytesBelow(path: string): Buffer[] {
  if (!statSync(path).isDirectory()) return [readFileSync(path)];
  return readdirSync(path).flatMap((name) => bytesBelow(join(path, name)));
}

test.skipIf(!needs.ok)(
  needs.title("an erased account opens in no backup made before, and is erased again where one is restored"),
  async () => {
    const server = await openTestServer({ settings: { wal_level: "replica", max_wal_senders: "4" } });
    closing.push(() => server.close());
    const service = await openOn(server);
    const { id, number, forms } = await fill(service, server);

    const dump = await server.tool("pg_dump", "--dbname", server.url);
    const dumpPath = join(dir.path, "dump.sql");
    writeFileSync(dumpPath, dump, { mode: 0o644 });
    const basePath = join(dir.path, "base");
    await server.tool("pg_basebackup", "--dbname", server.url, "--pgdata", basePath, "--checkpoint=fast");

    await service.app.privacy.deletions.askForStaff(id, "acc_somebody", true);
    await service.app.privacy.deletions.eraseDue();
    const sealed = service.app.dataKeys;
    expect(() => sealed.of(number)).toThrow(expect.objectContaining({ code: "data_keys.forgotten" }));
    await service.close();

    const files = [Buffer.from(dump), ...bytesBelow(basePath)];
    expect(
      files.some((bytes) => bytes.includes(id)),
      "the scan finds what is there",
    ).toBe(true);
    for (const form of forms)
      expect(
        files.some((bytes) => bytes.includes(form)),
        form.toString("latin1"),
      ).toBe(false);

    const fromDump = await openTestServer();
    closing.push(() => fromDump.close());
    await fromDump.tool("psql", "--dbname", fromDump.url, "--quiet", "--file", dumpPath);
    const fromBase = await openTestServer({ copyOf: { dataDir: basePath } });
    closing.push(() => fromBase.close());
    for (const restored of [fromDump, fromBase]) {
      const [row] = await restored.run(`select number from accounts where id = '${id}'`);
      expect(Number(row?.number)).toBe(number);
      const again = await openOn(restored);
      expect(await restored.run(`select from accounts where id = '${id}'`)).toEqual([]);
      expect(await restored.run(`select from erasures where number = ${number}`)).toHaveLength(1);
      expect((await again.logIn("bea@example.org")).email).toBe("bea@example.org");
      await again.close();
    }
  },
  120_000,
);

test.skipIf(!needs.ok)(
  needs.title("no database starts without its key file, or with another one's"),
  async () => {
    const server = await openTestServer();
    closing.push(() => server.close());
    const service = await openOn(server);
    await service.close();
    const open = (path: string) =>
      openTestApp({
        settings: { DATA_KEY_FILE: path },
        wrapDatabase: () => openDatabase({ url: server.url, poolMax: 10, statementTimeoutMs: 20_000 }),
      });
    await expect(open(join(dir.path, "nowhere", "data.key"))).rejects.toMatchObject({
      code: "data_key_file.missing",
    });
    const other = await openTestServer();
    closing.push(() => other.close());
    const otherDatabase = await openDatabase({ url: other.url, poolMax: 10, statementTimeoutMs: 20_000 });
    await migrate(otherDatabase.pool);
    const otherPath = join(dir.path, "other", "data.key");
    const stranger = await openTestApp({
      settings: { DATA_KEY_FILE: otherPath },
      wrapDatabase: () => otherDatabase,
    });
    await stranger.close();
    await expect(open(otherPath)).rejects.toMatchObject({ code: "data_key_file.foreign" });
  },
);
