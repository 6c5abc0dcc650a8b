import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import { Day, Nullable, OneOf, Page, PageQuery, Strict } from "./schemas.ts";

export const auditErrors = defineErrors("audit", {
  notFound: { status: 404, message: "The audit trail has no such entry." },
});

/** Everything that the audit trail holds. What customers do stands in it by the day, never by the minute. */
export const AUDIT_KINDS = [
  "login_succeeded",
  "login_refused",
  "refresh_reused",
  "session_ended",
  "sessions_ended",
  "second_factor_enabled",
  "second_factor_disabled",
  "second_factor_reset_by_staff",
  "recovery_code_used",
  "recovery_codes_renewed",
  "passkey_added",
  "passkey_removed",
  "password_changed",
  "password_reset",
  "api_key_created",
  "api_key_rotated",
  "api_key_revoked",
  "setup_completed",
  "account_created",
  "account_changed",
  "settings_changed",
  "block_added",
  "block_lifted",
  "node_created",
  "node_changed",
  "node_join_allowed",
  "node_joined",
  "node_removed",
  "device_revoked_by_staff",
  "keys_rotated",
  "audit_exported",
  "audit_archived",
] as const;
export type AuditKind = (typeof AUDIT_KINDS)[number];

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
    query: Strict({
      ...PageQuery,
      kind: Type.Optional(OneOf(AUDIT_KINDS)),
      actor: Type.Optional(Word),
      subject: Type.Optional(Word),
      from: Type.Optional(Day),
      to: Type.Optional(Day),
    }),
    success: { status: 200, schema: Page(AuditEntry) },
    errors: [],
  }),
  checkpoint: defineRoute({
    method: "GET",
    path: "/api/admin/audit/checkpoint",
    access: "admin",
    scope: "audit:read",
    tag: "audit",
    summary: "Shows the newest signed checkpoint, to be kept elsewhere",
    success: {
      status: 200,
      schema: Strict({
        size: Type.Integer(),
        note: Type.String({ description: "C2SP signed note" }),
        verifier_key: Type.String({ description: "C2SP verifier key: `name+hash+key`" }),
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
    query: Strict({ index: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }) }),
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
    summary: "Sends the whole trail with its checkpoints, to be verified without the service",
    success: { status: 200, schema: Type.String(), contentType: "application/jsonl" },
    errors: [],
  }),
};
