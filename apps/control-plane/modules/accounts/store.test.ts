import { createId } from "@securewave/foundation";
import { sql } from "kysely";
import { afterAll, expect, test } from "vitest";
import { openAccountModules } from "../../testing/account-modules.ts";
import { findAccountsAmongAll } from "./store.ts";

const base = await openAccountModules();
afterAll(() => base.close());

test("looking for owners reads the table in the same way whoever is looked for", async () => {
  const { id } = await base.account();
  const scansOf = async (trx: typeof base.db) => {
    const { rows } = await sql<{ whole: number; byIndex: number }>`
      select seq_scan::integer as whole, idx_scan::integer as "byIndex"
      from pg_stat_xact_user_tables where relname = 'accounts'`.execute(trx);
    return rows[0] ?? { whole: 0, byIndex: 0 };
  };
  for (const ids of [[], [id], [id, createId("account")]]) {
    const seen = await base.database.transaction(async (trx) => {
      const before = await scansOf(trx);
      await findAccountsAmongAll(trx, ids);
      const after = await scansOf(trx);
      return { whole: after.whole - before.whole, byIndex: after.byIndex - before.byIndex };
    });
    expect(seen).toEqual({ whole: 1, byIndex: 0 });
  }
});
