import type { Tables } from "@securewave/database";
import type { Kysely, Selectable } from "kysely";

type Db = Kysely<Tables>;
export type SecondFactorRow = Selectable<Tables["second_factors"]>;

export function findFactor(db: Db, accountId: string): Promise<SecondFactorRow | undefined> {
  return db.selectFrom("second_factors").selectAll().where("account_id", "=", accountId).executeTakeFirst();
}

/** Keeps a secret that is not confirmed yet; one that is stays as it is. */
export async function putUnconfirmed(
  db: Db,
  row: { account_id: string; sealed_secret: Buffer; created_on: string },
): Promise<void> {
  await db
    .insertInto("second_factors")
    .values(row)
    .onConflict((conflict) =>
      conflict
        .column("account_id")
        .doUpdateSet({ sealed_secret: row.sealed_secret, created_on: row.created_on, last_step_hash: null })
        .where("second_factors.is_confirmed", "=", false),
    )
    .execute();
}

/** A code is used: the hash of its time step, and the hashes of this step and those after it. */
export interface StepUse {
  readonly hash: Buffer;
  readonly usedBefore: readonly Buffer[];
}

/** Uses a code up: of several that come at once with the same code, one does it. */
export async function useStep(db: Db, accountId: string, { hash, usedBefore }: StepUse): Promise<boolean> {
  const row = await db
    .updateTable("second_factors")
    .set({ last_step_hash: hash })
    .where("account_id", "=", accountId)
    .where("is_confirmed", "=", true)
    .where((e) => e.or([e("last_step_hash", "is", null), e("last_step_hash", "not in", [...usedBefore])]))
    .returning("account_id")
    .executeTakeFirst();
  return row !== undefined;
}

/** @returns false when the set-up was begun anew, confirmed or taken back in the meantime */
export async function confirmFactor(
  db: Db,
  { account_id, sealed_secret }: SecondFactorRow,
  { hash }: StepUse,
): Promise<boolean> {
  const row = await db
    .updateTable("second_factors")
    .set({ is_confirmed: true, last_step_hash: hash })
    .where("account_id", "=", account_id)
    .where("is_confirmed", "=", false)
    .where("sealed_secret", "=", sealed_secret)
    .returning("account_id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function deleteUnconfirmed(db: Db, begunBefore: string): Promise<void> {
  await db
    .deleteFrom("second_factors")
    .where("is_confirmed", "=", false)
    .where("created_on", "<", begunBefore)
    .execute();
}

export async function deleteFactor(db: Db, accountId: string): Promise<boolean> {
  await db.deleteFrom("recovery_codes").where("account_id", "=", accountId).execute();
  const row = await db
    .deleteFrom("second_factors")
    .where("account_id", "=", accountId)
    .returning("account_id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function replaceRecoveryCodes(
  db: Db,
  accountId: string,
  hashes: readonly Buffer[],
): Promise<void> {
  await db.deleteFrom("recovery_codes").where("account_id", "=", accountId).execute();
  await db
    .insertInto("recovery_codes")
    .values(hashes.map((hash) => ({ account_id: accountId, hash })))
    .execute();
}

/** Uses a recovery code up. @returns false when there is no such code any more */
export async function takeRecoveryCode(db: Db, accountId: string, hash: Buffer): Promise<boolean> {
  const row = await db
    .deleteFrom("recovery_codes")
    .where("account_id", "=", accountId)
    .where("hash", "=", hash)
    .returning("account_id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function countRecoveryCodes(db: Db, accountId: string): Promise<number> {
  const { count } = await db
    .selectFrom("recovery_codes")
    .select((e) => e.fn.countAll<number>().as("count"))
    .where("account_id", "=", accountId)
    .executeTakeFirstOrThrow();
  return Number(count);
}
