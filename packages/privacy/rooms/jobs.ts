import type { About, Group } from "../entry.ts";
import { day, type Field, flag, id, word } from "../fields.ts";

/**
 * Whether a job is queued by the clock, by an act of an account's owner or of staff, or because of a node that is not
 * what it says. Nothing else may queue one: nothing that a device does in a tunnel.
 */
export type Cause = "the clock" | "an act of the owner" | "an act of staff" | "a fault of a node";

const MAIL = {
  class: "durable",
  whose: "customer",
  lifetime: "one hour after it was done, and ten minutes until the queue is swept",
  purpose: "to send you a mail that you asked for or must know of",
  basis: "contract",
  export: { not: "goes within two hours, and names nothing that is not in the export" },
} as const satisfies Partial<About>;

const SERVICE = {
  class: "durable",
  whose: "nobody",
  lifetime: MAIL.lifetime,
  purpose: "to keep the service in order",
  export: { not: "is about nobody" },
} as const satisfies Partial<About>;

const NOTICES = [
  "password_changed",
  "second_factor_enabled",
  "second_factor_disabled",
  "second_factor_reset",
  "recovery_code_used",
  "passkey_added",
  "passkey_removed",
  "api_key_created",
  "deletion_requested",
  "deletion_withdrawn",
];

function job(
  name: string,
  cause: Cause,
  about: Omit<About, "what">,
  what: string,
  fields: Readonly<Record<string, Field>> = {},
): Group {
  return { room: "job", name, ...about, what: `${what}${QUEUED_BY}${cause}`, fields };
}

const QUEUED_BY = "; queued by ";

/** What a job does, without what queues it; undefined where it is not listed. */
export function purposeOfJob(name: string): string | undefined {
  return jobs.find((group) => group.name === name)?.what.split(QUEUED_BY)[0];
}

/** Every job, and what its row in the queue holds. */
export const jobs: readonly Group[] = [
  job("account-mail", "an act of the owner", MAIL, "the letter after a registration", {
    accountId: id("of whom"),
  }),
  job("password-reset-mail", "an act of the owner", MAIL, "the letter to one who forgot the password", {
    accountId: id(
      "of whom; queued with nothing where there is no such account, so that the queue does not tell",
    ),
  }),
  job(
    "security-notice-mail",
    "an act of the owner",
    MAIL,
    "the letter about an act that matters to security",
    {
      accountId: id("of whom"),
      notice: word("about what", NOTICES),
    },
  ),
  job(
    "tunnel-key-mail",
    "the clock",
    MAIL,
    "the letter about a device's new key, or that it should get one",
    {
      accountId: id("of whom"),
      deviceId: id("of which device"),
      validUntil: day("the last day of the former key; nothing in a reminder"),
    },
  ),
  job(
    "moved-devices-mail",
    "an act of staff",
    MAIL,
    "the letter about devices that left a server which is taken out of service",
    {
      accountId: id("of whom"),
      validUntil: day("the last day of the former configs"),
    },
  ),
  job(
    "node-cloned-mail",
    "a fault of a node",
    MAIL,
    "the letter to staff about a node whose credential was copied",
    {
      accountId: id("of which admin"),
      nodeId: id("which node"),
    },
  ),
  job("maintenance-letters", "an act of staff", SERVICE, "queues the letters about announced maintenance"),
  job("maintenance-mail", "an act of staff", MAIL, "the letter about announced maintenance", {
    accountId: id("of whom"),
    windowId: id("about which maintenance"),
    kind: word("which letter", ["announced", "reminder", "changed", "cancelled"]),
  }),
  job("sla-roll-up", "the clock", SERVICE, "sums up how well the service was, by hours and days"),
  job("notice-batch", "an act of staff", SERVICE, "goes through accounts for a letter to many", {
    noticeId: id("which letter"),
    after: id("the account before, in the order of random ids"),
  }),
  job("notice-mail", "an act of staff", MAIL, "a letter to you among many", {
    accountId: id("of whom"),
    noticeId: id("which letter"),
  }),
  job("alert-mail", "the clock", MAIL, "the letter to staff about an alert that fires or is over", {
    accountId: id("of which admin"),
    alert: word("which", []),
    event: word("what of it", ["fires", "is over"]),
  }),
  job("rotate-keys", "an act of staff", SERVICE, "finishes the rotation of keys", {
    what: word("which", ["signing", "encryption"]),
    key: id("which one"),
    endsFormer: flag("whether what former keys have signed ends at once"),
  }),
  job("clean-up", "the clock", SERVICE, "deletes what has expired"),
  job("ledger-flush", "the clock", SERVICE, "writes the usage ledger anew, once a day"),
  job(
    "erase-accounts",
    "the clock",
    SERVICE,
    "deletes the accounts whose day has come; where no days of grace are set, at the owner's act",
  ),
  job("zero-log-audit", "the clock", SERVICE, "has the service searched for made-up customers"),
  job(
    "retire-tunnel-keys",
    "the clock",
    SERVICE,
    "takes away the keys and places of devices whose last day is over",
  ),
  job(
    "renew-tunnel-keys",
    "the clock",
    SERVICE,
    "changes the keys that the server made and that are due, and reminds owners of theirs",
  ),
  job("drain-nodes", "the clock", SERVICE, "moves devices from nodes that staff have drain to others"),
  job("back-up", "the clock", SERVICE, "backs up the database, the settings and what nodes should have"),
  job("clean-up-backups", "the clock", SERVICE, "removes backups whose days are over"),
  job("verify-backup", "the clock", SERVICE, "restores the newest backups, to try them"),
  job("audit-checkpoint", "the clock", SERVICE, "signs the audit trail"),
];
