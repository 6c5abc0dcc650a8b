import type { Database } from "@securewave/database";
import { invariant } from "@securewave/foundation";
import type { Bus } from "../../bus.ts";
import type { Plan } from "./plan.ts";
import * as store from "./store.ts";

/**
 * Which plan each account has, in memory: what a tunnel does is judged without asking the database, since even a
 * read can make it write (hint bits, pruning), and so would tell when somebody was connected (ZERO-LOG R1).
 */
export interface PlanBook {
  planOf(accountId: string): Plan;
  /** In no order. */
  all(): Iterable<Plan>;
  /** Hears which account has another plan; undefined: it can be any. Returns how to stop. */
  subscribe(changed: (accountId: string | undefined) => void): () => void;
  /** Reads what may have changed, of one account or of all. */
  refresh(accountId?: string): Promise<void>;
}

export interface BookOptions {
  readonly database: Database;
  readonly bus: Bus;
  /** Hears that plans could not be read; those known so far hold on. */
  readonly onTrouble: (error: unknown) => void;
}

const ROWS_AT_ONCE = 10_000;

export async function openPlanBook({ database, bus, onTrouble }: BookOptions): Promise<PlanBook> {
  const { db } = database;
  const subscribers = new Set<(accountId: string | undefined) => void>();
  let plans: ReadonlyMap<string, Plan> = new Map();
  let usual: Plan | undefined;
  /** Accounts that have another plan than the default: whoever registers needs no entry. */
  let others = new Map<string, string>();
  let last: Promise<void> = Promise.resolve();

  async function readOthers(defaultId: string): Promise<Map<string, string>> {
    const read = new Map<string, string>();
    for (let afterId = ""; ; ) {
      const rows = await store.listOwners(db, defaultId, afterId, ROWS_AT_ONCE);
      for (const { id, plan_id } of rows) read.set(id, plans.get(plan_id)?.id ?? plan_id);
      afterId = rows.at(-1)?.id ?? "";
      if (rows.length < ROWS_AT_ONCE) return read;
    }
  }

  async function readAll(): Promise<void> {
    const rows = await store.listAll(db);
    plans = new Map(rows.map((plan) => [plan.id, plan]));
    const found = rows.find((plan) => plan.is_default);
    invariant(found, "one plan is the default");
    others = await readOthers(found.id);
    usual = found;
  }

  async function readOne(accountId: string): Promise<void> {
    const planId = await store.planIdOf(db, accountId);
    if (planId !== undefined && !plans.has(planId)) await readAll();
    else if (planId === undefined || planId === usual?.id) others.delete(accountId);
    else others.set(accountId, planId);
  }

  /** One after the other: what was read first must not replace what was read later. */
  function refresh(accountId?: string): Promise<void> {
    const turn = last.then(async () => {
      await (accountId === undefined ? readAll() : readOne(accountId));
      for (const changed of subscribers) changed(accountId);
    });
    last = turn.catch(() => undefined);
    return turn;
  }

  await readAll();
  const heard = (accountId: string) => {
    refresh(accountId === ALL ? undefined : accountId).catch(onTrouble);
  };
  bus.subscribe("plans-changed", heard, () => heard(ALL));

  return {
    planOf(accountId) {
      const plan = plans.get(others.get(accountId) ?? "") ?? usual;
      invariant(plan, "the plans were read");
      return plan;
    },
    all: () => plans.values(),
    subscribe(changed) {
      subscribers.add(changed);
      return () => subscribers.delete(changed);
    },
    refresh,
  };
}

/** Stands on the bus for all accounts: the plans themselves have changed. */
export const ALL = "all";
