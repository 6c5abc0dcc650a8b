import type { Totals } from "@securewave/contracts/node-frames";
import { at, type Figures, type Impossible, isCount, moreIn, settlementOf } from "./figures.ts";

/** Up to which batch of which incarnation a node's figures are in the ledger. */
export interface Mark {
  readonly nodeId: string;
  readonly incarnation: string;
  readonly batch: number;
}

/** Totals that nodes froze, on their way into the ledger. */
export interface ClosedBatch {
  /** Whole MiB per call; an account may come several times. */
  forEachSettled(each: (accountId: string, bytes: number) => void): void;
  /** Of each node that answered. */
  readonly marks: readonly Mark[];
  /** The ledger holds it: it is taken off, and nodes are told. */
  settled(): void;
  /** It was not written: everything stays unsettled. */
  abandon(): void;
}

/** What one node contributes to a batch, as of when it was closed. */
export interface NodePart extends Mark {
  readonly keys: readonly string[];
  readonly owners: Int32Array;
  readonly settled: Totals;
}

export function closingOf(figures: Figures, frozen: Totals & { readonly batch: number }): NodePart {
  const slots = frozen.received.length;
  return {
    nodeId: figures.nodeId,
    incarnation: figures.incarnation,
    batch: frozen.batch,
    keys: figures.keys.slice(0, slots),
    owners: figures.owners.slice(0, slots),
    settled: settlementOf(figures, frozen),
  };
}

/**
 * A batch that is asked for again may be older than the last report; it never says less than was settled.
 *
 * @returns why it cannot be, or how many bytes it has that no report had
 */
export function moreInBatch(figures: Figures, frozen: Totals, bytesMax: number): Impossible | number {
  for (const slot of figures.keys.keys()) {
    if (!isCount(at(frozen.received, slot)) || !isCount(at(frozen.sent, slot))) return "no_count";
    const received = at(frozen.received, slot) - at(figures.settledReceived, slot);
    if (received < 0 || at(frozen.sent, slot) < at(figures.settledSent, slot)) return "backwards";
  }
  return moreIn(figures, furthest(figures, frozen), { bytesMax });
}

export function furthest(figures: Figures, { received, sent }: Totals): Totals {
  return {
    received: received.map((bytes, slot) => Math.max(bytes, at(figures.received, slot))),
    sent: sent.map((bytes, slot) => Math.max(bytes, at(figures.sent, slot))),
  };
}
