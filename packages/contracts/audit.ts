import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { Role } from "./accounts.ts";
import { JobName } from "./jobs.ts";
import { defineRoute } from "./route.ts";
import { Day, Id, Nullable, OneOf, pagesOf, Strict } from "./schemas.ts";
import { ScopeSchema } from "./scopes.ts";

export const auditErrors = defineErrors("audit", {
  notFound: { status: 404, message: "The audit trail has no such entry." },
});

const Name = Type.String({ maxLength: 60, pattern: "^[a-z0-9_]+$" });
const Names = Strict({ names: Type.Array(Name) });
const Index = Type.Integer({ minimum: 0 });
const ApiKeyDetails = Strict({ key_id: Id("apiKey"), scopes: Type.Array(ScopeSchema) });
const Empty = Strict({});
const Count = Type.Integer({ minimum: 1, description: "So many like ones together" });

/**
 * Everything that the audit trail holds, and what each kind of entry tells. What customers do stands in it by the
 * day, never by the minute.
 */
export const AUDIT_DETAILS = {
  login_succeeded: Strict({ method: OneOf(["password", "totp", "recovery_code", "passkey", "setup"]) }),
  login_refused: Strict({
    method: OneOf(["password", "totp", "passkey"]),
    count: Type.Optional(Count),
  }),
  refresh_reused: Empty,
  session_ended: Empty,
  sessions_ended: Empty,
  second_factor_enabled: Empty,
  second_factor_disabled: Empty,
  second_factor_reset_by_staff: Empty,
  recovery_code_used: Empty,
  recovery_codes_renewed: Empty,
  passkey_added: Empty,
  passkey_removed: Empty,
  password_changed: Empty,
  password_reset: Empty,
  api_key_created: ApiKeyDetails,
  api_key_rotated: ApiKeyDetails,
  api_key_revoked: ApiKeyDetails,
  setup_completed: Empty,
  account_created: Strict({ role: Role }),
  account_changed: Strict({
    role: Type.Optional(Role),
    state: Type.Optional(OneOf(["unverified", "active", "suspended"])),
  }),
  settings_changed: Names,
  plan_created: Empty,
  plan_changed: Names,
  plan_removed: Empty,
  account_plan_changed: Strict({ plan_id: Id("plan") }),
  account_usage_read: Empty,
  block_added: Strict({ reason: Name, minutes: Type.Integer({ minimum: 1 }), count: Type.Optional(Count) }),
  block_lifted: Strict({ reason: Name }),
  node_created: Empty,
  node_changed: Names,
  node_join_allowed: Empty,
  node_joined: Empty,
  node_removed: Empty,
  node_quarantined: Strict({ reason: Name }),
  node_trusted: Empty,
  node_cloned: Empty,
  device_revoked_by_staff: Empty,
  deletion_requested: Strict({ due_on: Day }),
  deletion_withdrawn: Empty,
  account_erased: Strict({ entries: Type.Array(Index, { maxItems: 500 }) }),
  consent_given: Strict({ purpose: OneOf(["usage_history"]) }),
  consent_withdrawn: Strict({ purpose: OneOf(["usage_history"]) }),
  data_exported: Empty,
  privacy_request_closed: Strict({ request_id: Id("privacyRequest"), outcome: OneOf(["done", "refused"]) }),
  alert_silenced: Strict({ alert: Type.String(), minutes: Type.Integer({ minimum: 1 }) }),
  alert_unsilenced: Strict({ alert: Type.String() }),
  keys_rotated: Strict({ what: OneOf(["signing", "encryption"]) }),
  maintenance_switched: Strict({ mode: OneOf(["off", "read-only", "closed"]) }),
  maintenance_scheduled: Strict({ mode: OneOf(["off", "read-only", "closed"]) }),
  maintenance_changed: Names,
  maintenance_cancelled: Empty,
  incident_opened: Empty,
  incident_updated: Strict({ state: OneOf(["investigating", "identified", "monitoring", "resolved"]) }),
  incident_edited: Names,
  incident_removed: Empty,
  job_started: Empty,
  dead_letter_retried: Strict({ job: JobName }),
  dead_letter_discarded: Strict({ job: JobName }),
  audit_exported: Strict({ from: Index, to: Type.Integer({ minimum: -1 }) }),
  audit_archived: Strict({ from: Index, to: Index }),
  breach_opened: Empty,
  breach_credentials_ended: Strict({ what: Name }),
  breach_noted: Empty,
  breach_notified: Empty,
  breach_closed: Empty,
  node_credential_renewed: Empty,
  node_credential_ended: Empty,
  drill_recorded: Strict({ scenario: Type.String({ maxLength: 40, pattern: "^[a-z-]+$" }) }),
  backup_ordered: Strict({
    act: OneOf(["back_up", "verify", "clean_up"]),
    what: Type.Optional(OneOf(["database", "config", "vpn"])),
  }),
  restored_from_backup: Strict({ restored_to: Type.Optional(Type.String({ format: "date-time" })) }),
};
export type AuditKind = keyof typeof AUDIT_DETAILS;
export const AUDIT_KINDS = Object.keys(AUDIT_DETAILS) as readonly AuditKind[];

/** The details of one kind, as they may be given. */
export type AuditDetails<Kind extends AuditKind> = {
  readonly [Field in keyof Static<(typeof AUDIT_DETAILS)[Kind]>]: Readonly<
    Static<(typeof AUDIT_DETAILS)[Kind]>[Field]
  >;
};

function entryIndex(description = "Number of an entry, from 0") {
  return Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });
}
const Word = Type.String({ maxLength: 100, pattern: "^[A-Za-z0-9_.:-]+$" });

export const AuditEntry = Strict({
  index: Type.Integer(),
  leaf: Type.String({ description: "RFC 6962 leaf hash in base64" }),
  body: Nullable(
    Strict({
      kind: OneOf(AUDIT_KINDS),
      actor: Type.String({ description: "Who did it: an id, `system` or `unknown`" }),
      subject: Type.String({ description: "To whom or what" }),
      details: Type.Record(Type.String(), Type.Unknown()),
      time: Type.String({ description: "A day for what customers do, an instant for what staff do" }),
      origin: Type.Optional(Type.String({ description: "The day's pseudonym of an address" })),
    }),
  ),
});
export type AuditEntry = Static<typeof AuditEntry>;

/** @see https://www.rfc-editor.org/rfc/rfc6962 and https://c2sp.org/tlog-checkpoint */
export const audit = {
  list: defineRoute({
    method: "GET",
    path: "/api/admin/audit",
    access: "admin",
    scope: "audit:read",
    tag: "audit",
    summary: "Lists the audit trail, the newest entries first",
    ...pagesOf(AuditEntry, {
      kind: Type.Optional(OneOf(AUDIT_KINDS)),
      actor: Type.Optional(Word),
      subject: Type.Optional(Word),
      from: Type.Optional(Day),
      to: Type.Optional(Day),
      search: Type.Optional(
        Type.String({
          maxLength: 100,
          pattern: "^[^\\p{C}]*$",
          description: "Part of a kind, an id or the details",
        }),
      ),
    }),
    errors: [],
  }),
  checkpoint: defineRoute({
    method: "GET",
    path: "/api/admin/audit/checkpoint",
    access: "admin",
    scope: "audit:read",
    tag: "audit",
    summary: "Shows the newest signed checkpoint, to be kept elsewhere",
    query: Strict({
      since: Type.Optional(entryIndex("Size of a checkpoint that was kept before")),
    }),
    success: {
      status: 200,
      schema: Strict({
        size: Type.Integer(),
        note: Type.String({ description: "C2SP signed note" }),
        verifier_key: Type.String({ description: "C2SP verifier key: `name+hash+key`" }),
        consistency: Type.Optional(
          Type.Array(Type.String(), {
            description:
              "RFC 6962 proof that this checkpoint continues the one of size `since`, hashes in base64; missing where the trail is shorter than that",
          }),
        ),
      }),
    },
    errors: [],
  }),
  proof: defineRoute({
    method: "GET",
    path: "/api/admin/audit/proof",
    access: "admin",
    scope: "audit:read",
    tag: "audit",
    summary: "Proves that an entry stands in the trail of the newest checkpoint",
    query: Strict({ index: entryIndex() }),
    success: {
      status: 200,
      schema: Strict({
        index: Type.Integer(),
        size: Type.Integer(),
        leaf: Type.String(),
        proof: Type.Array(Type.String(), { description: "Hashes in base64, from the leaf up" }),
        note: Type.String(),
      }),
    },
    errors: [auditErrors.notFound],
  }),
  export: defineRoute({
    method: "GET",
    path: "/api/admin/audit/export",
    access: "admin",
    scope: "audit:read",
    tag: "audit",
    summary: "Sends the trail, or a part of it, with its checkpoints, to be verified without the service",
    query: Strict({
      from: Type.Optional(entryIndex()),
      to: Type.Optional(entryIndex("What is sent goes on to the next checkpoint")),
    }),
    success: {
      status: 200,
      schema: Type.String({ description: "A header, entries and signed checkpoints, one JSON value a line" }),
      contentType: "application/jsonl",
    },
    errors: [auditErrors.notFound],
  }),
};
