import { type Group, NOBODYS } from "../entry.ts";
import { count, day, flag, id, order, sealed, text, word } from "../fields.ts";
import { table } from "../table.ts";

/** The clock alone makes it grow, once a day, whatever happened. */
const BY_THE_CLOCK = "it grows once a day, by the clock";

/** Plans, and how much of one is used: sealed, all rows written anew once a day. */
export const useTables: readonly Group[] = [
  table("plans", {
    what: "a plan",
    class: "durable",
    ...NOBODYS,
    lifetime: "until no account has it and staff remove it",
    purpose: "to sell the service",
    columns: {
      id: id("the id of the plan"),
      name: text("its name"),
      quota_bytes: count("how much a month"),
      on_quota: word("what happens beyond that", ["throttle", "block"]),
      throttle_kbit_per_second: count("how fast it is then"),
      connections_max: count("how many devices at the same time"),
      devices_max: count("how many devices"),
      is_default: flag("whether new accounts get it"),
      is_retired: flag("whether nobody can take it any more"),
      tier: count("the number by which nodes know it"),
      speed_kbit_per_second: count("how fast each device may be"),
      server_tags: text("which servers it is for"),
    },
  }),
  table("usage_ledger", {
    what: "how much of this month's quota you used",
    class: "sealed ledger",
    whose: "customer",
    lifetime: "one day: then the row is written anew, and the former one opens no more, in no backup either",
    purpose: "to hold you to your plan",
    basis: "contract",
    export: { as: "usage" },
    columns: {
      account_id: id("whose it is"),
      sealed: sealed(
        "encrypted, and of one length: the month, how much in whole MiB, at how many percent you were told",
        { isUnsampled: true, export: { as: "usage" } },
      ),
    },
  }),
  table("usage_ledger_state", {
    what: "how often the ledger was written anew",
    class: "durable",
    ...NOBODYS,
    lifetime: "as long as the service runs",
    purpose: "to know which key opens it",
    columns: {
      id: flag("there is one row"),
      generation: order("how often", BY_THE_CLOCK),
      flushed_on: day("the day of the last time"),
    },
  }),
  table("usage_ledger_marks", {
    what: "up to where the nodes' figures are in the ledger",
    class: "sealed ledger",
    ...NOBODYS,
    lifetime: "one day, as the ledger",
    purpose: "to count each byte once",
    columns: {
      page: count("which page"),
      sealed: sealed("encrypted, and of one length: each node's last batch", { isUnsampled: true }),
    },
  }),
  table("usage_history", {
    what: "how much you used each day, if you asked us to keep it",
    class: "durable",
    whose: "customer",
    lifetime: "until you take the consent back, from when on it opens in no backup either",
    purpose: "to show you your own history",
    basis: "consent",
    export: { as: "usage_history" },
    columns: {
      account_id: id("whose it is"),
      day: day("which day"),
      mebibytes_sealed: sealed("how much, in whole MiB, encrypted under a key of its own", {
        isUnsampled: true,
        export: { as: "usage_history" },
      }),
    },
  }),
];
