import { type Group, NOBODYS } from "../entry.ts";
import {
  count,
  day,
  flag,
  hash,
  id,
  instant,
  members,
  order,
  publicKey,
  sealed,
  text,
  word,
} from "../fields.ts";
import { table } from "../table.ts";

const TRAIL = {
  what: "what somebody did that matters to security",
  class: "audit",
  whose: "customer",
  lifetime: "`AUDIT_RETENTION_DAYS`, then in files of `audit-archive`, until you remove those",
  purpose: "to find out who did what to an account or to the service",
  basis: "legitimate interest",
  export: { as: "audit" },
} as const;
const ORDER_OF_ACTS =
  "the order of what people and staff did; nothing that happens in a tunnel is in the trail";

const OF_THE_SERVICE = "by the clock, about the service as a whole; nothing that one person does changes it";

/** Settings, keys of the service, and the audit trail. */
export const serviceTables: readonly Group[] = [
  table("settings", {
    what: "a setting",
    class: "durable",
    ...NOBODYS,
    lifetime: "as long as the service runs",
    purpose: "to run the service",
    columns: { name: text("its name"), value: text("its value") },
  }),
  table("service_keys", {
    what: "a key of the service",
    class: "durable",
    ...NOBODYS,
    lifetime: "as long as the service runs",
    purpose: "to prove to nodes and readers of the audit trail who speaks",
    columns: {
      name: text("what it is for"),
      public_key: publicKey("the public half"),
      sealed_private_key: sealed("the private half, encrypted"),
    },
  }),
  table("signing_keys", {
    what: "a key that access tokens are signed with",
    class: "durable",
    ...NOBODYS,
    lifetime: "until no token signed with it can be valid",
    purpose: "to know access tokens",
    columns: {
      kid: id("its id"),
      algorithm: word("how it signs", ["HS256", "EdDSA"]),
      sealed_key: sealed("the key, encrypted"),
      created_on: day("day on which it was made"),
      retires_on: day("last day of use"),
    },
  }),
  table("encryption_keys", {
    what: "a key that data keys are sealed with",
    class: "durable",
    ...NOBODYS,
    lifetime: "until nothing is sealed with it",
    purpose: "to keep what is secret in the store unreadable in its backups",
    columns: {
      number: count("its number"),
      sealed_key: sealed("the key, encrypted"),
      state: word("what it is used for", ["arriving", "sealing", "opening"]),
      created_on: day("day on which it was made"),
    },
  }),
  table("audit_queue", {
    ...TRAIL,
    lifetime: "until it is in the trail: some milliseconds",
    columns: {
      id: order("which came before which", ORDER_OF_ACTS),
      salt: hash("random bytes"),
      body: members("the entry: see the audit trail's kinds"),
    },
  }),
  table("audit_entries", {
    ...TRAIL,
    triggers: ["audit_entries_guard", "audit_entries_guard_all"],
    columns: {
      index: order("number of the entry", ORDER_OF_ACTS),
      leaf: hash("hash of the entry, salted"),
      salt: hash("random bytes, without which nobody can guess the entry from its hash"),
      body: members("the entry: see the audit trail's kinds"),
    },
  }),
  table("audit_tree", {
    what: "the state of the trail's hash tree",
    class: "audit",
    ...NOBODYS,
    lifetime: "as long as the service runs",
    purpose: "to prove that the trail was not rewritten",
    columns: {
      id: flag("there is one row"),
      size: order("how many entries there are", ORDER_OF_ACTS),
      frontier: hash("hashes of its parts"),
    },
  }),
  table("audit_checkpoints", {
    what: "a signed state of the trail",
    class: "audit",
    ...NOBODYS,
    lifetime: "as the trail",
    purpose: "to prove that the trail was not rewritten",
    columns: {
      size: order("how many entries there were", ORDER_OF_ACTS),
      note: text("the signed note; holds no time"),
    },
  }),
  table("zero_log_reports", {
    what: "what came of a search for traces of made-up customers",
    class: "durable",
    ...NOBODYS,
    lifetime: "until 30 newer ones are there",
    purpose: "to prove to everybody that nothing is kept of who uses the service",
    columns: {
      number: count("number of the report"),
      made_on: day("day of the search"),
      outcome: word("what came of it", ["clean", "leaking", "incomplete"]),
      hits: count("how many traces were found"),
      note: text("the signed report; those whom it names do not exist"),
    },
  }),
  table("alert_episodes", {
    what: "that an alert about the service fired",
    class: "durable",
    ...NOBODYS,
    lifetime: "90 days",
    purpose: "to see what went wrong, and when",
    columns: {
      name: text("which alert"),
      began_at: instant("the minute in which it fired", OF_THE_SERVICE),
      ended_at: instant("the minute in which it was over", OF_THE_SERVICE),
      severity: word("how grave", ["critical", "warning"]),
      is_told: flag("whether letters about it were sent to staff"),
    },
  }),
  table("alert_silences", {
    what: "that staff want no letters about an alert for a while",
    class: "durable",
    ...NOBODYS,
    lifetime: "until a day after it is over",
    purpose: "to send no letters about what is known",
    columns: {
      name: text("which alert"),
      reason: text("why, in words of staff"),
      until_at: instant("until when", OF_THE_SERVICE),
    },
  }),
  table("alert_watch", {
    what: "which process judges the figures of the service",
    class: "durable",
    ...NOBODYS,
    lifetime: "as long as the service runs",
    purpose: "to have one letter sent and not one of each process",
    columns: {
      id: flag("there is one row"),
      holder: id("random, anew with each start of a process"),
      judged_at: instant("when it did so last", OF_THE_SERVICE),
    },
  }),
  table("schema_migrations", {
    what: "which changes of the schema were made",
    class: "durable",
    ...NOBODYS,
    lifetime: "as long as the service runs",
    purpose: "to bring the store up to date",
    columns: {
      number: count("number of the change"),
      name: text("its name"),
      sha256: hash("what it said"),
      applied_on: day("day on which it was made"),
      phase: word("whether the release before goes on beside it", ["expand", "contract", "early"]),
    },
  }),
];
