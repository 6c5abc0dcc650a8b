import { AUDIT_KINDS, type AuditKind } from "@securewave/contracts";

/** What of the audit trail is shown; stands in the address bar, so that a view can be kept and shared. */
export interface AuditFilter {
  readonly kind?: AuditKind | undefined;
  readonly actor?: string | undefined;
  readonly subject?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Reads a filter from the address bar; what the API would not take is undefined. */
export function parseAuditFilter(raw: Readonly<Record<string, unknown>>): AuditFilter {
  return {
    kind: AUDIT_KINDS.find((kind) => kind === raw.kind),
    actor: parseWord(raw.actor),
    subject: parseWord(raw.subject),
    from: parseDay(raw.from),
    to: parseDay(raw.to),
  };
}

/** As the contract has it: an id, or a word such as `system`. */
function parseWord(value: unknown): string | undefined {
  return typeof value === "string" && /^[A-Za-z0-9_.:-]{1,100}$/.test(value) ? value : undefined;
}

function parseDay(value: unknown): string | undefined {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return undefined;
  const instant = new Date(`${value}T00:00:00Z`);
  return Number.isNaN(instant.valueOf()) || !instant.toISOString().startsWith(value) ? undefined : value;
}
