import type { About, Group } from "../entry.ts";
import { count, day, type Field, id, instant, order, pseudonym, text, word } from "../fields.ts";

const CUSTOMERS = {
  class: "audit",
  whose: "customer",
  lifetime: "`AUDIT_RETENTION_DAYS`, then in files of `audit-archive`, until you remove those",
  purpose: "to find out who did what to an account or to the service",
  basis: "legitimate interest",
  export: { as: "audit" },
} as const satisfies Partial<About>;

const STAFFS = {
  ...CUSTOMERS,
  whose: "staff",
  export: { not: "is about staff at work; what they did to an account is in the export of that account" },
} as const satisfies Partial<About>;

/** What an entry has whatever its kind. */
const entryFields: Readonly<Record<string, Field>> = {
  kind: word("what was done", []),
  actor: id("who did it"),
  subject: id("to whom or what"),
  time: instant(
    "a day for what customers do, a second for what staff do",
    "finer than a day for acts of staff alone",
  ),
  origin: pseudonym("where a refused log-in or a blocked origin came from; its key is in memory only"),
};

const onceADay = (what: string, fields: Readonly<Record<string, Field>> = {}) => ({
  ...CUSTOMERS,
  what,
  fields,
});
const toTheSecond = (what: string, fields: Readonly<Record<string, Field>> = {}) => ({
  ...STAFFS,
  what,
  fields,
});

const key = { key_id: id("which key"), scopes: text("what it may do", { whose: "customer" }) };
const times = count("so many like ones together");
const from = order("first entry", "numbers of entries");
const to = order("last entry", "numbers of entries");
const role = word("what the account may do", ["customer", "support", "admin"]);
const LOG_IN_METHODS = ["password", "totp", "recovery_code", "passkey", "setup"];

/** Every kind of entry, with the details that it has. */
const kinds: Readonly<Record<string, Omit<Group, "room" | "name">>> = {
  login_succeeded: onceADay("you logged in", { method: word("how", LOG_IN_METHODS) }),
  login_refused: onceADay("somebody was refused a log-in", {
    method: word("how", ["password", "totp", "passkey"]),
    count: times,
  }),
  refresh_reused: onceADay("an old refresh token was used: theft, perhaps"),
  session_ended: onceADay("a log-in was ended"),
  sessions_ended: onceADay("all log-ins were ended"),
  second_factor_enabled: onceADay("the second factor was switched on"),
  second_factor_disabled: onceADay("the second factor was switched off"),
  second_factor_reset_by_staff: toTheSecond("staff took the second factor off"),
  recovery_code_used: onceADay("a recovery code was used"),
  recovery_codes_renewed: onceADay("recovery codes were renewed"),
  passkey_added: onceADay("a passkey was added"),
  passkey_removed: onceADay("a passkey was removed"),
  password_changed: onceADay("the password was changed"),
  password_reset: onceADay("the password was set anew by a link"),
  api_key_created: onceADay("an API key was made", key),
  api_key_rotated: onceADay("an API key was rotated", key),
  api_key_revoked: onceADay("an API key was revoked", key),
  setup_completed: toTheSecond("the first admin was made"),
  account_created: toTheSecond("staff made an account", { role }),
  account_changed: toTheSecond("staff changed an account", {
    role,
    state: word("whether it may be used", ["unverified", "active", "suspended"]),
  }),
  settings_changed: toTheSecond("staff changed settings", { names: text("which") }),
  plan_created: toTheSecond("staff made a plan"),
  plan_changed: toTheSecond("staff changed a plan", { names: text("what of it") }),
  plan_removed: toTheSecond("staff removed a plan"),
  account_plan_changed: toTheSecond("staff gave an account another plan", { plan_id: id("which plan") }),
  account_usage_read: toTheSecond("staff looked at how much an account used"),
  deletion_requested: onceADay("you asked to be deleted", { due_on: day("day on which it is done") }),
  deletion_withdrawn: onceADay("you took that back"),
  account_erased: onceADay("an account was deleted, and its entries erased", {
    entries: order("which entries", "numbers of entries that are erased"),
  }),
  consent_given: onceADay("you gave a consent", { purpose: word("what for", ["usage_history"]) }),
  consent_withdrawn: onceADay("you took a consent back", { purpose: word("what for", ["usage_history"]) }),
  data_exported: onceADay("you took all data about you along"),
  privacy_request_closed: toTheSecond("staff answered a request", {
    request_id: id("which request"),
    outcome: word("how", ["done", "refused"]),
  }),
  block_added: toTheSecond("an origin was blocked; to the day where the service did it by itself", {
    reason: word("why", []),
    minutes: count("for how long"),
    count: times,
  }),
  block_lifted: toTheSecond("a block was lifted", { reason: word("why it was there", []) }),
  node_created: toTheSecond("staff added a node"),
  node_changed: toTheSecond("staff changed a node", { names: text("what of it") }),
  node_join_allowed: toTheSecond("staff let a node join anew"),
  node_joined: toTheSecond("a node joined"),
  node_removed: toTheSecond("staff removed a node"),
  node_quarantined: toTheSecond("a node reported what cannot be", { reason: word("why", []) }),
  node_cloned: toTheSecond("two machines had a node's credential, which ended"),
  node_trusted: toTheSecond("staff trust it again"),
  device_revoked_by_staff: toTheSecond("staff revoked a device"),
  alert_silenced: toTheSecond("staff silenced an alert", {
    alert: text("which"),
    minutes: count("for how long"),
  }),
  alert_unsilenced: toTheSecond("staff let an alert be heard again", { alert: text("which") }),
  keys_rotated: toTheSecond("keys were rotated", { what: word("which", ["signing", "encryption"]) }),
  maintenance_switched: toTheSecond("staff switched the maintenance mode", {
    mode: word("to what", ["off", "read-only", "closed"]),
  }),
  maintenance_scheduled: toTheSecond("staff announced maintenance", {
    mode: word("with which mode", ["off", "read-only", "closed"]),
  }),
  maintenance_changed: toTheSecond("staff changed announced maintenance", { names: text("what of it") }),
  maintenance_cancelled: toTheSecond("staff cancelled maintenance"),
  incident_opened: toTheSecond("staff posted an incident"),
  incident_updated: toTheSecond("staff posted what is new of it", {
    state: word("how far it is", ["investigating", "identified", "monitoring", "resolved"]),
  }),
  incident_edited: toTheSecond("staff edited what they posted", { names: text("what of it") }),
  incident_removed: toTheSecond("staff took an incident off the status page"),
  job_started: toTheSecond("staff had a job run"),
  dead_letter_retried: toTheSecond("staff had a letter sent again that could not be delivered", {
    job: word("which kind of letter", []),
  }),
  dead_letter_discarded: toTheSecond("staff gave up a letter that could not be delivered", {
    job: word("which kind of letter", []),
  }),
  audit_exported: toTheSecond("staff exported the trail", { from, to }),
  audit_archived: toTheSecond("old entries were moved to the archive", { from, to }),
  breach_opened: toTheSecond("staff opened a breach"),
  breach_credentials_ended: toTheSecond("staff ended credentials after a breach", { what: text("which") }),
  breach_noted: toTheSecond("staff wrote into the timeline of a breach"),
  breach_notified: toTheSecond("staff wrote to customers about a breach"),
  breach_closed: toTheSecond("staff closed a breach"),
  node_credential_renewed: toTheSecond("a node made itself another credential, as staff asked"),
  node_credential_ended: toTheSecond("staff ended the credential of a node that had made no other one"),
  drill_recorded: toTheSecond("staff recorded what a drill measured", { scenario: text("what was drilled") }),
  backup_ordered: toTheSecond("staff had backups made, verified or removed", {
    act: word("what", ["back_up", "verify", "clean_up"]),
    what: word("of which kind", ["database", "config", "vpn"]),
  }),
  restored_from_backup: toTheSecond("the store was restored from a backup", {
    restored_to: instant("to which moment", "staff restored it"),
  }),
};

export const auditKinds: readonly Group[] = [
  ...Object.entries(kinds).map(([name, kind]): Group => ({ room: "audit", name, ...kind })),
];

export const auditEntry: Group = {
  room: "audit",
  name: "every entry",
  ...CUSTOMERS,
  what: "an entry of the audit trail, whatever its kind",
  fields: entryFields,
};
