import type { Tables } from "@securewave/database";
import { type Insertable, type Kysely, sql, type Updateable } from "kysely";
import type { PageBounds } from "../../http/paging.ts";
import type { Plan } from "./plan.ts";

type Db = Kysely<Tables>;

/** Whoever changes plans waits for the others who do; who registers or reads waits for nobody. */
export async function lockPlans(trx: Db): Promise<void> {
  await sql`lock table plans in share row exclusive mode`.execute(trx);
}

/** Waits for the registrations under way, which still take the default that was; those that begin wait in turn. */
export async function lockRegistrations(trx: Db): Promise<void> {
  await sql`lock table accounts in share row exclusive mode`.execute(trx);
}

export function insertPlan(trx: Db, plan: Insertable<Tables["plans"]>): Promise<Plan> {
  return trx.insertInto("plans").values(plan).returningAll().executeTakeFirstOrThrow();
}

export async function updatePlan(trx: Db, id: string, change: Updateable<Tables["plans"]>): Promise<void> {
  await trx.updateTable("plans").set(change).where("id", "=", id).execute();
}

export async function clearDefault(trx: Db): Promise<void> {
  await trx.updateTable("plans").set({ is_default: false }).where("is_default", "=", true).execute();
}

export async function deletePlan(trx: Db, id: string): Promise<void> {
  await trx.deleteFrom("plans").where("id", "=", id).execute();
}

function selectPlans(db: Db) {
  return db
    .selectFrom("plans")
    .selectAll("plans")
    .select(sql<boolean>`exists (select from accounts where plan_id = plans.id)`.as("is_used"));
}

export function findPlan(db: Db, id: string) {
  return selectPlans(db).where("plans.id", "=", id).executeTakeFirst();
}

export function findPlanOf(db: Db, accountId: string) {
  const planId = db.selectFrom("accounts").select("plan_id").where("id", "=", accountId);
  return selectPlans(db).where("plans.id", "=", planId).executeTakeFirst();
}

export function listPlans(db: Db, { rows, after, pattern }: PageBounds) {
  let query = selectPlans(db).orderBy("name").limit(rows);
  if (after) query = query.where("name", ">", after[0] ?? "");
  if (pattern) query = query.where("name", "ilike", pattern);
  return query.execute();
}

export function listAll(db: Db): Promise<Plan[]> {
  return db.selectFrom("plans").selectAll().execute();
}

/** @returns whether there is such an account */
export async function assignPlan(trx: Db, accountId: string, planId: string): Promise<boolean> {
  const row = await trx
    .updateTable("accounts")
    .set({ plan_id: planId })
    .where("id", "=", accountId)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function planIdOf(db: Db, accountId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("accounts")
    .select("plan_id")
    .where("id", "=", accountId)
    .executeTakeFirst();
  return row?.plan_id;
}

/** Of an account whose plan nobody else changes until the commit. */
export async function lockPlanIdOf(trx: Db, accountId: string): Promise<string | undefined> {
  const account = trx.selectFrom("accounts").select("plan_id").where("id", "=", accountId);
  return (await account.forUpdate().executeTakeFirst())?.plan_id;
}

/** Accounts after an id, in order, whose plan is not this one. */
export function listOwners(db: Db, exceptPlanId: string, afterId: string, rows: number) {
  return db
    .selectFrom("accounts")
    .select(["id", "plan_id"])
    .where("plan_id", "!=", exceptPlanId)
    .where("id", ">", afterId)
    .orderBy("id")
    .limit(rows)
    .execute();
}
