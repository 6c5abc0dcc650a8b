import type { ClosedBatch, Usage } from "@securewave/live";

const MIB = 2 ** 20;

/** Bytes that no ledger holds yet, in the memory of the live plane. */
export type UnsettledUsage = Pick<Usage, "unsettledOf" | "forEachUnsettled" | "closeBatch">;

/**
 * What is unsettled but was used before the month began. Nodes settle once a day, so at the turn of a month
 * there is up to a day of it; nobody's new month begins with it.
 */
export interface BeforeMonth {
  /** A month begins: everything that is unsettled at this moment is of the one before. */
  begin(usage: UnsettledUsage): void;
  /** Nobody knows how much of what is unsettled is of the month before: until the next flush, all of it. */
  beginWithEverything(): void;
  isEverything(): boolean;
  /** A node has said what it had kept from before. */
  add(accountId: string, bytes: number): void;
  /** Bytes. */
  of(accountId: string): number;
  /** @returns whole MiB of this month in a batch, by account */
  takeFrom(batch: ClosedBatch): Map<string, number>;
  /** The batch is in the ledger; call before the live plane takes it off. */
  settled(batch: ClosedBatch, usage: UnsettledUsage): void;
  /** Another process has settled a batch: no more is left of the month before than is unsettled. */
  shrink(usage: UnsettledUsage): void;
}

export function createBeforeMonth(): BeforeMonth {
  let isEverything = false;
  let bytes = new Map<string, number>();

  function begin(usage: UnsettledUsage): void {
    isEverything = false;
    bytes = new Map();
    usage.forEachUnsettled((accountId, unsettled) => {
      if (unsettled > 0) bytes.set(accountId, (bytes.get(accountId) ?? 0) + unsettled);
    });
  }

  return {
    begin,
    beginWithEverything() {
      isEverything = true;
      bytes = new Map();
    },
    isEverything: () => isEverything,
    add(accountId, more) {
      if (!isEverything) bytes.set(accountId, (bytes.get(accountId) ?? 0) + more);
    },
    of: (accountId) => bytes.get(accountId) ?? 0,
    takeFrom(batch) {
      const settled = sumOf(batch);
      for (const [accountId, all] of settled) {
        const ofThisMonth = isEverything ? 0 : Math.max(0, all - (bytes.get(accountId) ?? 0));
        settled.set(accountId, Math.floor(ofThisMonth / MIB));
      }
      return settled;
    },
    settled(batch, usage) {
      if (isEverything) begin(usage);
      for (const [accountId, all] of sumOf(batch)) {
        const rest = (bytes.get(accountId) ?? 0) - all;
        if (rest > 0) bytes.set(accountId, rest);
        else bytes.delete(accountId);
      }
    },
    shrink(usage) {
      isEverything = false;
      for (const [accountId, before] of bytes) {
        const rest = Math.min(before, usage.unsettledOf(accountId));
        if (rest > 0) bytes.set(accountId, rest);
        else bytes.delete(accountId);
      }
    },
  };
}

/** Bytes by account. */
export function sumOf(batch: ClosedBatch): Map<string, number> {
  const sums = new Map<string, number>();
  batch.forEachSettled((accountId, all) => {
    sums.set(accountId, (sums.get(accountId) ?? 0) + all);
  });
  return sums;
}
