/** An origin or a network that is let in no more for a while. In memory only. */
export interface Block {
  /** `blk_…` */
  readonly id: string;
  readonly kind: "tag" | "network";
  /** The day's pseudonym of an origin, or the network in CIDR form that staff gave. */
  readonly value: string;
  readonly reason: "violations" | "failed_log_ins" | "staff";
  /** Milliseconds since 1970, as `until`. */
  readonly since: number;
  readonly until: number;
  /** Who of the staff added it. */
  readonly addedBy?: string;
}

/** Reads a block that came from another replica; undefined for anything else. */
export function parseBlock(text: string): Block | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isBlock(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isBlock(value: unknown): value is Block {
  if (typeof value !== "object" || value === null) return false;
  const {
    id,
    kind,
    value: origin,
    reason,
    since,
    until,
    addedBy,
  }: Partial<Record<keyof Block, unknown>> = value;
  return (
    typeof id === "string" &&
    (kind === "tag" || kind === "network") &&
    typeof origin === "string" &&
    (reason === "violations" || reason === "failed_log_ins" || reason === "staff") &&
    Number.isFinite(since) &&
    Number.isFinite(until) &&
    (addedBy === undefined || typeof addedBy === "string")
  );
}
