import type { Database } from "@securewave/database";
import type { PageRequest } from "../../http/paging.ts";
import { type Accounts, viewOf } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import type { Deletions } from "./deletions.ts";
import type { Policy } from "./policy.ts";
import type { Requests } from "./requests.ts";
import * as store from "./store.ts";
import type { UsageHistory } from "./usage-history.ts";

/** A part of everything that is kept about somebody. */
export interface Collector {
  readonly name: string;
  /** What it is, for people. */
  readonly about: string;
  /** Tables that it tells of; the first has the meanings of its fields. */
  readonly tables: readonly string[];
  readonly collect: (accountId: string) => AsyncIterable<object>;
}

type List = (
  accountId: string,
  page: PageRequest,
) => Promise<{ items: readonly object[]; next_cursor: string | null }>;

export interface CollectorsOptions {
  readonly database: Database;
  readonly accounts: Accounts;
  readonly audit: Pick<Audit, "list">;
  readonly deletions: Deletions;
  readonly history: UsageHistory;
  readonly policy: Policy;
  readonly requests: Requests;
  readonly sessions: { readonly list: List };
  readonly devices: { readonly list: List };
  readonly apiKeys: { readonly list: List };
  readonly passkeys: { readonly list: (accountId: string) => Promise<{ items: readonly object[] }> };
  readonly secondFactors: { readonly show: (accountId: string) => Promise<object> };
  readonly plans: { readonly ofAccount: (accountId: string) => Promise<object> };
  /** This month's use, from memory; left out where nothing counts it. */
  readonly usageOf?: ((accountId: string) => object) | undefined;
}

/** Tables with an account's rows of which nothing is exported, and why. */
export const NOT_EXPORTED: Readonly<Record<string, string>> = {
  one_time_tokens: "hashes of links that were sent to you, which are gone within two days",
  dead_letters: "letters to you that could not be sent, by their kind and day; gone within 30 days",
  unsealed: "empty: what an earlier version kept is sealed at the first start",
};

const PAGE = 100;

/** One for each thing that is kept about an account. */
export function createCollectors(options: CollectorsOptions): readonly Collector[] {
  const { accounts, audit, deletions, history, policy, requests, plans, usageOf } = options;
  const { db } = options.database;

  return [
    {
      name: "account",
      about: "Your account",
      tables: ["accounts"],
      collect: (id) => one(async () => viewOf(await accounts.get(id))),
    },
    {
      name: "plan",
      about: "What your plan lets you use",
      tables: ["plans"],
      collect: (id) => one(() => plans.ofAccount(id)),
    },
    {
      name: "sessions",
      about: "Your log-ins that are open",
      tables: ["sessions"],
      collect: (id) => pagesOf(options.sessions.list, id),
    },
    {
      name: "second_factor",
      about:
        "Your second factor; its secret and the hashes of codes are left out, since they open your account",
      tables: ["second_factors", "recovery_codes"],
      collect: (id) => one(() => options.secondFactors.show(id)),
    },
    {
      name: "passkeys",
      about: "Your passkeys; their public keys are left out, since your devices hold them",
      tables: ["passkeys"],
      collect: (id) => itemsOf(options.passkeys.list(id)),
    },
    {
      name: "api_keys",
      about: "Your API keys; of the keys themselves only hashes are kept",
      tables: ["api_keys"],
      collect: (id) => pagesOf(options.apiKeys.list, id),
    },
    {
      name: "devices",
      about:
        "Your devices. What stands under `connection` is known at this moment only: it comes from memory and is stored nowhere",
      tables: ["devices"],
      collect: (id) => pagesOf(options.devices.list, id),
    },
    {
      name: "usage",
      about: "What you used this month; a sealed total is all that is stored of it",
      tables: ["usage_ledger"],
      collect: (id) => one(async () => usageOf?.(id)),
    },
    {
      name: "usage_history",
      about: "What you used each day, if you asked us to keep it",
      tables: ["usage_history"],
      collect: (id) => pagesOf(history.list, id),
    },
    {
      name: "consents",
      about: "What you agreed to, and until when",
      tables: ["consents"],
      async *collect(id) {
        for (const { number: _, account_id: __, ...row } of await store.listConsentsOf(db, id)) yield row;
      },
    },
    {
      name: "policy_agreements",
      about: "Versions of the privacy policy that you agreed to",
      tables: ["policy_agreements"],
      async *collect(id) {
        for (const { version, agreed_on } of await policy.listAgreements(id)) yield { version, agreed_on };
      },
    },
    {
      name: "privacy_requests",
      about: "What you asked for about your data",
      tables: ["privacy_requests"],
      collect: (id) => pagesOf(requests.listOwn, id),
    },
    {
      name: "deletion",
      about: "When your account is to be erased",
      tables: ["deletions"],
      collect: (id) => one(() => deletions.find(id)),
    },
    {
      name: "audit",
      about: "What the audit trail has of you; the ids of others are left out",
      tables: ["audit_entries"],
      async *collect(id) {
        const bySubject = (_: string, page: PageRequest) => audit.list({ subject: id }, page);
        const byActor = (_: string, page: PageRequest) => audit.list({ actor: id }, page);
        for await (const entry of pagesOf(bySubject, id)) yield hidingOthers(entry, id);
        for await (const entry of pagesOf(byActor, id))
          if (subjectOf(entry) !== id) yield hidingOthers(entry, id);
      },
    },
  ];
}

async function* one(find: () => Promise<object | undefined>): AsyncGenerator<object> {
  const found = await find();
  if (found) yield found;
}

async function* itemsOf(list: Promise<{ items: readonly object[] }>): AsyncGenerator<object> {
  yield* (await list).items;
}

async function* pagesOf(list: List, accountId: string): AsyncGenerator<object> {
  let cursor: string | null | undefined;
  do {
    const page = await list(accountId, { limit: PAGE, ...(typeof cursor === "string" ? { cursor } : {}) });
    yield* page.items;
    cursor = page.next_cursor;
  } while (cursor !== null);
}

interface EntryLike {
  readonly body?: { readonly actor: string; readonly subject: string } | null;
}

const subjectOf = (entry: EntryLike) => entry.body?.subject;

function hidingOthers(entry: EntryLike, ownId: string): object {
  if (!entry.body) return {};
  const hide = (who: string) => (who.startsWith("acc_") && who !== ownId ? "somebody else" : who);
  return { ...entry.body, actor: hide(entry.body.actor), subject: hide(entry.body.subject) };
}
