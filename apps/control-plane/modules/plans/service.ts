import {
  accountErrors,
  type api,
  type BodyOf,
  type Plan as PlanView,
  planErrors,
} from "@securewave/contracts";
import { constraintOf, type Database, isUniqueViolation, type Tables } from "@securewave/database";
import { createId } from "@securewave/foundation";
import type { Kysely } from "kysely";
import type { Bus } from "../../bus.ts";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Audit } from "../audit/index.ts";
import { ALL, openPlanBook } from "./book.ts";
import { type Plan, type TierSpeed, viewOf } from "./plan.ts";
import * as store from "./store.ts";

export interface PlansOptions {
  readonly database: Database;
  readonly bus: Bus;
  readonly audit: Pick<Audit, "record">;
  readonly onTrouble: (error: unknown) => void;
}

/** Has what belongs to an account follow its plan, in the same transaction; what it returns is done after the commit. */
export type AccountReassigned = (trx: Kysely<Tables>, accountId: string) => Promise<() => void>;

export type Plans = Awaited<ReturnType<typeof openPlans>>;

type NewPlan = BodyOf<typeof api.plans.create>;
type PlanChange = BodyOf<typeof api.plans.change>;

/** What customers may use: the catalogue of plans, and who has which. */
export async function openPlans({ database, bus, audit, onTrouble }: PlansOptions) {
  const { db } = database;
  const book = await openPlanBook({ database, bus, onTrouble });
  const followers: AccountReassigned[] = [];

  /** Answers once the change holds here; other processes hear of it at the same moment. */
  async function announce(accountId: string | undefined): Promise<void> {
    bus.publish("plans-changed", accountId ?? ALL);
    await book.refresh(accountId);
  }

  async function haveFollowed(trx: Kysely<Tables>, accountId: string): Promise<(() => void)[]> {
    const afterwards: (() => void)[] = [];
    for (const follow of followers) afterwards.push(await follow(trx, accountId));
    return afterwards;
  }

  /** @throws plans.not_found */
  async function show(id: string): Promise<PlanView> {
    const plan = await store.findPlan(db, id);
    if (!plan) throw planErrors.notFound();
    return viewOf(plan);
  }

  /** @throws accounts.not_found */
  async function ofAccount(accountId: string): Promise<PlanView> {
    const plan = await store.findPlanOf(db, accountId);
    if (!plan) throw accountErrors.notFound();
    return viewOf(plan);
  }

  return {
    /** The plan of an account, from memory. */
    planOf: (accountId: string): Plan => book.planOf(accountId),
    subscribe: (changed: (accountId: string | undefined) => void) => book.subscribe(changed),

    /** Of all plans that have a limit: what nodes are told. */
    speeds: {
      list: (): TierSpeed[] =>
        [...book.all()]
          .flatMap(({ tier, speed_kbit_per_second: speed }) =>
            speed === null ? [] : [{ tier, kbit_per_second: speed }],
          )
          .sort((a, b) => a.tier - b.tier),
      /** Hears that plans may have changed. Returns how to stop. */
      subscribe: (changed: () => void) =>
        book.subscribe((accountId) => {
          if (accountId === undefined) changed();
        }),
    },

    onAssign(follower: AccountReassigned): void {
      followers.push(follower);
    },

    show,
    ofAccount,

    async list(page: PageRequest) {
      const bounds = boundsOf(page, ["text"]);
      return pageOf(await store.listPlans(db, bounds), bounds, ({ name }) => [name], viewOf);
    },

    /** @throws plans.name_in_use */
    async create(input: NewPlan, actor: string): Promise<PlanView> {
      const id = createId("plan");
      await database
        .transaction(async (trx) => {
          await store.insertPlan(trx, { id, ...input });
          await audit.record(trx, { kind: "plan_created", actor, subject: id });
        })
        .catch(refuseTakenName);
      await announce(undefined);
      return show(id);
    },

    /** @throws plans.not_found, plans.name_in_use, plans.is_default, plans.retired */
    async change(id: string, change: PlanChange, actor: string): Promise<PlanView> {
      const details = { names: Object.keys(change) };
      await database
        .transaction(async (trx) => {
          if (change.is_default) await store.lockRegistrations(trx);
          await store.lockPlans(trx);
          const plan = await store.findPlan(trx, id);
          if (!plan) throw planErrors.notFound();
          const is_default = demandOneDefault(plan, change);
          if (is_default && !plan.is_default) await store.clearDefault(trx);
          await store.updatePlan(trx, id, change);
          await audit.record(trx, { kind: "plan_changed", actor, subject: id, details });
        })
        .catch(refuseTakenName);
      await announce(undefined);
      return show(id);
    },

    /** @throws plans.not_found, plans.in_use, plans.is_default */
    async remove(id: string, actor: string): Promise<void> {
      await database
        .transaction(async (trx) => {
          await store.lockPlans(trx);
          const plan = await store.findPlan(trx, id);
          if (!plan) throw planErrors.notFound();
          if (plan.is_default) throw planErrors.isDefault();
          if (plan.is_used) throw planErrors.inUse();
          await store.deletePlan(trx, id);
          await audit.record(trx, { kind: "plan_removed", actor, subject: id });
        })
        .catch((error: unknown) => {
          throw constraintOf(error) === "accounts_plan_id_fkey" ? planErrors.inUse() : error;
        });
      await announce(undefined);
    },

    /** @throws accounts.not_found, plans.not_found, plans.retired */
    async assign(accountId: string, planId: string, actor: string): Promise<PlanView> {
      const afterwards = await database
        .transaction(async (trx) => {
          const present = await store.lockPlanIdOf(trx, accountId);
          if (present === undefined) throw accountErrors.notFound();
          const plan = await store.findPlan(trx, planId);
          if (!plan) throw planErrors.notFound();
          if (plan.is_retired && present !== planId) throw planErrors.retired();
          if (!(await store.assignPlan(trx, accountId, planId))) throw accountErrors.notFound();
          const details = { plan_id: planId };
          await audit.record(trx, { kind: "account_plan_changed", actor, subject: accountId, details });
          return present === planId ? [] : haveFollowed(trx, accountId);
        })
        .catch((error: unknown) => {
          // Removed in the same moment.
          throw constraintOf(error) === "accounts_plan_id_fkey" ? planErrors.notFound() : error;
        });
      await announce(accountId);
      for (const done of afterwards) done();
      return ofAccount(accountId);
    },
  };
}

/**
 * @returns whether it is the default afterwards
 * @throws plans.is_default, plans.retired
 */
function demandOneDefault(plan: Plan, change: PlanChange): boolean {
  const { is_default = plan.is_default, is_retired = plan.is_retired } = change;
  if (plan.is_default && (is_retired || !is_default)) throw planErrors.isDefault();
  if (is_default && is_retired) throw planErrors.retired();
  return is_default;
}

function refuseTakenName(error: unknown): never {
  throw isUniqueViolation(error, "plans_name_key") ? planErrors.nameInUse() : error;
}
