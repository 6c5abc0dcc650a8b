import { copyFile, mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { migrate } from "@securewave/database";
import { openTestDatabase } from "@securewave/database/testing";
import { createId } from "@securewave/foundation";
import { createEnvelope } from "@securewave/foundation/envelope";
import { temporaryDir } from "@securewave/testing/temporary";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openAccountModules } from "../../testing/account-modules.ts";
import { insertAccount } from "../../testing/data-keys.ts";
import { openAccount } from "../accounts/index.ts";
import { createAccountKey } from "./account-key.ts";
import { openDataKeys, openNested, PLACES } from "./index.ts";

const database = await openTestDatabase();
const { db, pool } = database;
const dir = temporaryDir("data-keys");
afterAll(async () => {
  await database.close();
  dir.remove();
});
const envelope = createEnvelope([{ number: 1, key: new Uint8Array(32).fill(7) }]);
const MIGRATIONS = join(
  dirname(fileURLToPath(import.meta.resolve("@securewave/database/migrate"))),
  "migrations",
);

describe("an account's key", () => {
  const [key, other] = [
    createAccountKey(new Uint8Array(32).fill(1)),
    createAccountKey(new Uint8Array(32).fill(2)),
  ];
  const isRefused = (open: () => unknown) =>
    expect(open).toThrow(expect.objectContaining({ code: "data_keys.unopenable" }));

  test("opens what it sealed, whatever the text, in the place and row that it was sealed for", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        const wellFormed = Buffer.from(text).toString();
        const sealed = key.seal("devices.name", "dev_1", text);
        expect(key.open("devices.name", "dev_1", sealed)).toBe(wellFormed);
      }),
    );
  });

  test("opens nothing that was changed, moved, or sealed by another", () => {
    const sealed = key.seal("devices.name", "dev_1", "phone");
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      isRefused(() => key.open("devices.name", "dev_1", changed));
      isRefused(() => key.open("devices.name", "dev_1", sealed.subarray(0, at)));
    }
    isRefused(() => key.open("devices.name", "dev_2", sealed));
    isRefused(() => key.open("passkeys.name", "dev_1", sealed));
    isRefused(() => other.open("devices.name", "dev_1", sealed));
  });

  test("seals texts of like lengths to one length, and one text each time anew", () => {
    const lengths = ["a", "phone", "a@example.org", "x".repeat(31)].map(
      (text) => key.seal("p", "r", text).length,
    );
    expect(new Set(lengths).size).toBe(1);
    expect(key.seal("p", "r", "a").equals(key.seal("p", "r", "a"))).toBe(false);
  });

  test("finds a text by an index that no other account has for it", () => {
    expect(key.index("devices.name", "phone").equals(key.index("devices.name", "phone"))).toBe(true);
    expect(key.index("devices.name", "phone").equals(other.index("devices.name", "phone"))).toBe(false);
    expect(key.index("devices.name", "phone").equals(key.index("passkeys.name", "phone"))).toBe(false);
  });
});

test("a page of accounts opens as many keys as it shows, however many accounts there are", async () => {
  const base = await openAccountModules();
  const account = { password_hash: "", role: "customer", state: "active", created_on: "2026-11-20" } as const;
  for (let i = 0; i < 40; i++) {
    const given = { ...account, id: createId("account"), email: `person${i}@example.org` };
    await insertAccount(base.db, base.dataKeys, given);
  }
  const open = vi.spyOn(base.dataKeys, "of");
  const { items, next_cursor } = await base.accounts.list({ limit: 5 });
  expect([items.length, next_cursor !== null, open.mock.calls.length]).toEqual([5, true, 5]);
  await base.close();
});

describe("a database of an earlier version", () => {
  beforeEach(async () => {
    await pool.query("drop schema public cascade");
    await pool.query("create schema public");
  });

  async function migrateBefore(): Promise<void> {
    const earlier = join(dir.path, "earlier");
    await mkdir(earlier, { recursive: true });
    for (const name of await readdir(MIGRATIONS))
      if (name < "0005") await copyFile(join(MIGRATIONS, name), join(earlier, name));
    await migrate(pool, { dir: earlier });
  }

  test("keeps everything, sealed at the first start, and nothing of it in plain columns", async () => {
    await migrateBefore();
    for (let i = 0; i < 700; i++)
      await pool.query(
        `insert into accounts (id, email, password_hash, role, state, created_on)
         values ($1, $2, 'hash-' || $1, 'customer', 'active', '2026-11-20')`,
        [`acc_${i}`, `person${i}@example.org`],
      );
    await pool.query(
      `insert into devices (id, account_id, name, type, state, public_key, key_origin, sealed_private_key, created_on)
       values ('dev_1', 'acc_1', 'Canary phone', 'phone', 'revoked', 'key', 'server', $1, '2026-11-20')`,
      [envelope.seal("private key", "private key of dev_1")],
    );
    await pool.query(
      "insert into second_factors (account_id, sealed_secret, created_on) values ('acc_1', $1, '2026-11-20')",
      [envelope.seal("SECRET", "second factor acc_1")],
    );
    await migrate(pool);
    const paths = [join(dir.path, "keys", "data.key")] as [string];
    const { dataKeys, file } = await openDataKeys({ database, envelope, paths });

    expect((await pool.query("select from unsealed")).rowCount).toBe(0);
    const rows = await db.selectFrom("accounts").selectAll().execute();
    expect(new Set(rows.map(({ number }) => number)).size).toBe(700);
    for (const row of rows) {
      const account = openAccount(dataKeys, row);
      expect(account?.email).toBe(`person${row.id.slice(4)}@example.org`);
      expect(account?.password_hash).toBe(`hash-${row.id}`);
      expect(row.email_index.equals(dataKeys.emailIndex(account?.email ?? ""))).toBe(true);
    }
    const key = await dataKeys.ofAccount("acc_1");
    const device = await db.selectFrom("devices").selectAll().executeTakeFirstOrThrow();
    expect(key.open(PLACES.deviceName, "dev_1", device.name_sealed)).toBe("Canary phone");
    const nested = {
      envelope,
      key,
      place: PLACES.devicePrivateKey,
      rowId: "dev_1",
      context: "private key of dev_1",
    };
    expect(openNested(nested, device.sealed_private_key ?? Buffer.of())).toBe("private key");
    expect(envelope.open(device.sealed_private_key ?? Buffer.of(), nested.context)).not.toContain(
      "private key",
    );
    const factor = await db.selectFrom("second_factors").selectAll().executeTakeFirstOrThrow();
    const secret = {
      envelope,
      key,
      place: PLACES.secondFactor,
      rowId: "acc_1",
      context: "second factor acc_1",
    };
    expect(openNested(secret, factor.sealed_secret)).toBe("SECRET");
    file.close();
    const again = await openDataKeys({ database, envelope, paths });
    expect(
      (await again.dataKeys.ofAccount("acc_1")).open(PLACES.deviceName, "dev_1", device.name_sealed),
    ).toBe("Canary phone");
    again.file.close();
  });
});
