import type { AuditKind } from "@securewave/contracts";

/** A call that changes something, and what it leaves in the trail. */
export interface Act {
  readonly writes: readonly AuditKind[];
  /** Makes what is needed, and tells how to do the act itself. */
  readonly prepare: () => Promise<() => Promise<unknown>>;
  /** Undoes what would stand in the way of others. */
  readonly after?: (() => Promise<unknown>) | undefined;
}

export const act = (
  writes: AuditKind | readonly AuditKind[],
  prepare: Act["prepare"],
  after?: Act["after"],
): Act => ({
  writes: typeof writes === "string" ? [writes] : writes,
  prepare,
  after,
});

/** By the route: `devices.create`. */
export type Acts = Readonly<Record<string, Act>>;
