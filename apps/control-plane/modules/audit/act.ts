import type { EntryBody } from "@securewave/audit-trail";
import { AUDIT_DETAILS, type AuditDetails, type AuditKind } from "@securewave/contracts/audit";
import { dayOf, invariant } from "@securewave/foundation";
import { Value } from "typebox/value";

interface ActOf<Kind extends AuditKind> {
  readonly kind: Kind;
  /** Id of who did it, `system`, or `unknown`. */
  readonly actor: string;
  /** Id of whom or what it was done to, `service`, or `unknown`. */
  readonly subject: string;
  /** The day's pseudonym of an address; for what was refused, and for blocks, only. */
  readonly origin?: string;
}

type WithDetails<Kind extends AuditKind> =
  Record<never, never> extends AuditDetails<Kind>
    ? ActOf<Kind> & { readonly details?: AuditDetails<Kind> }
    : ActOf<Kind> & { readonly details: AuditDetails<Kind> };

/** Something that is written into the audit trail. Ids only: no mail address, name, address or key. */
export type Act = { [Kind in AuditKind]: WithDetails<Kind> }[AuditKind];

/** Ids and the words that stand for none; no mail or network address has this form. */
const WHO = /^[A-Za-z0-9_-]{1,40}$/;

/** Acts of staff and of the service itself, whose moment tells nothing about a customer. */
const TIMED_KINDS: ReadonlySet<AuditKind> = new Set([
  "second_factor_reset_by_staff",
  "setup_completed",
  "account_created",
  "account_changed",
  "settings_changed",
  "plan_created",
  "plan_changed",
  "plan_removed",
  "account_plan_changed",
  "account_usage_read",
  "block_added",
  "block_lifted",
  "node_created",
  "node_changed",
  "node_join_allowed",
  "node_joined",
  "node_removed",
  "node_cloned",
  "device_revoked_by_staff",
  "privacy_request_closed",
  "keys_rotated",
  "maintenance_switched",
  "maintenance_scheduled",
  "maintenance_changed",
  "maintenance_cancelled",
  "incident_opened",
  "incident_updated",
  "incident_edited",
  "incident_removed",
  "job_started",
  "dead_letter_retried",
  "dead_letter_discarded",
  "audit_exported",
  "audit_archived",
  "breach_opened",
  "breach_credentials_ended",
  "breach_noted",
  "breach_notified",
  "breach_closed",
  "node_credential_renewed",
  "node_credential_ended",
  "drill_recorded",
  "backup_ordered",
  "restored_from_backup",
]);

/**
 * What an entry says of an act. Details are those that its kind has; what goes beyond them is left out. What a
 * customer does, or what happens in an attack, is known by its day: a finer time would be a record of use.
 */
export function bodyOf({ kind, actor, subject, details, origin }: Act, nowMs: number): EntryBody {
  const schema = AUDIT_DETAILS[kind];
  const closed = Value.Clean(schema, { ...details });
  invariant(Value.Check(schema, closed), `an act of kind ${kind} has the details of its kind`);
  const isPseudonymous = [actor, subject, origin ?? "unknown"].every((text) => WHO.test(text));
  invariant(isPseudonymous, "the audit trail holds ids and no addresses");
  const time = isTimed(kind, actor, subject)
    ? `${new Date(nowMs).toISOString().slice(0, 19)}Z`
    : dayOf(nowMs);
  return { kind, actor, subject, details: { ...closed }, time, ...(origin === undefined ? {} : { origin }) };
}

function isTimed(kind: AuditKind, actor: string, subject: string): boolean {
  if (kind === "block_added" || kind === "block_lifted") return actor !== "system";
  const isDoneToAnother = actor !== subject && actor.startsWith("acc_") && subject.startsWith("acc_");
  return TIMED_KINDS.has(kind) || isDoneToAnother;
}
