import type { Mark } from "./sealing.ts";

/** Tells bytes of this month from those that a node kept from an earlier one, for as long as it was away. */
export interface MonthOfUse {
  /**
   * Whether what a node says on top of its last report may have been used before the month began.
   *
   * @param reportedAtMs when that last report came, of the same incarnation; undefined where this process saw none
   */
  isEarlier(nodeId: string, reportedAtMs: number | undefined): boolean;
  /** Bytes that are such. They become unsettled like others. */
  leaveOut(accountId: string, bytes: number): void;
}

/** Bytes that no ledger holds yet, in the memory of the live plane. */
export interface UnsettledUsage {
  unsettledOf(accountId: string): number;
  forEachUnsettled(each: (accountId: string, bytes: number) => void): void;
  /**
   * Freezes a batch on every node that can be reached. Resolves within a bounded time, without those that do not
   * answer.
   */
  closeBatch(): Promise<ClosedBatch>;
}

export interface ClosedBatch {
  /** Whole MiB per call; an account may come several times. */
  forEachSettled(each: (accountId: string, bytes: number) => void): void;
  /** Of each node that answered. */
  readonly marks: readonly Mark[];
  /** The ledger holds it: it stops being unsettled before this returns, and nodes may be told. */
  settled(): void;
  /** It was not written: everything stays unsettled. */
  abandon(): void;
}
