import type { EntryBody } from "@securewave/audit-trail";
import type { AuditKind } from "@securewave/contracts";
import { dayOf } from "@securewave/foundation";

/** Something that is written into the audit trail. Ids only: no mail address, name, address or key. */
export interface Act {
  readonly kind: AuditKind;
  /** Id of who did it, `system`, or `unknown`. */
  readonly actor: string;
  /** Id of whom or what it was done to, `service`, or `unknown`. */
  readonly subject: string;
  readonly details?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** The day's pseudonym of an address; for what was refused only. */
  readonly origin?: string;
}

/** Acts of staff and of the service itself, whose moment tells nothing about a customer. */
const TIMED_KINDS: ReadonlySet<AuditKind> = new Set([
  "second_factor_reset_by_staff",
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
]);

/** A customer's act is known by its day: a finer time would be a record of use. */
export function bodyOf({ kind, actor, subject, details = {}, origin }: Act, nowMs: number): EntryBody {
  const time = TIMED_KINDS.has(kind) ? `${new Date(nowMs).toISOString().slice(0, 19)}Z` : dayOf(nowMs);
  return { kind, actor, subject, details, time, ...(origin === undefined ? {} : { origin }) };
}
