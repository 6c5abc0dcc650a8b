import { randomBytes, randomInt } from "node:crypto";
import { createId } from "@securewave/foundation";
import { type Kysely, sql } from "kysely";
import type { Tables } from "./tables.ts";

/** Makes the row of an account that nobody logs in to, for what only has to belong to one. @returns its id */
export async function insertAccountRow(
  db: Kysely<Tables>,
  values: Partial<Pick<Tables["accounts"], "id" | "role" | "state" | "created_on">> = {},
): Promise<string> {
  const id = values.id ?? createId("account");
  await db
    .insertInto("accounts")
    .values({
      role: "customer",
      state: "active",
      created_on: "2026-01-01",
      ...values,
      id,
      number: randomInt(2 ** 31),
      email_index: randomBytes(32),
      email_sealed: Buffer.of(),
      password_sealed: Buffer.of(),
    })
    .execute();
  return id;
}

/** Makes many such rows by one statement, with ids that begin with a text. */
export async function insertAccountRows(db: Kysely<Tables>, count: number, prefix = "acc_"): Promise<void> {
  await sql`
    insert into accounts (id, number, email_index, email_sealed, password_sealed, role, state, created_on)
    select ${prefix}::text || i, i, sha256(convert_to(${prefix}::text || i, 'UTF8')), '', '', 'customer', 'active',
      '2026-01-01'
    from generate_series(1, ${count}::integer) as i
  `.execute(db);
}
