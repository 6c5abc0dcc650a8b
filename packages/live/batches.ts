import { settleable } from "@securewave/contracts/node-frames";
import { invariant } from "@securewave/foundation";
import { at, type Changes, endSessions, type Figures, ownerAt, unsettledIn } from "./figures.ts";
import type { Holdings } from "./holdings.ts";
import type { NodeRoster } from "./rosters.ts";
import { type ClosedBatch, closingOf, type Mark, type NodePart } from "./settling.ts";

/** What a node can be told. */
export interface NodeChannel {
  close(batch: number): void;
  settled(incarnation: string, batch: number): void;
  recount(): void;
}

/** The way of what is unsettled into the ledger: by batches, which nodes freeze and this or another replica settles. */
export interface Batches {
  /** Freezes a batch on every node that answers within the time. One at a time. */
  close(waitMs: number): Promise<ClosedBatch>;
  /** The node answered, or never will. */
  answered(nodeId: string): void;
  /** Up to which batch the ledger has each node's figures. */
  useMarks(markOf: (nodeId: string) => Mark | undefined): void;
  /** The ledger was written by another replica. */
  marksChanged(): void;
  /** Another replica has a batch in the ledger. */
  settledElsewhere(nodeId: string, incarnation: string, batch: number): void;
  /** Has a batch settled that the ledger has and this roster does not know of; until then it does not count. */
  isSettledFirst(nodeId: string, roster: NodeRoster): boolean;
}

export interface BatchesOptions {
  readonly holdings: Holdings;
  readonly channels: ReadonlyMap<string, NodeChannel>;
  readonly changes: Changes;
}

export function createBatches({ holdings, channels, changes }: BatchesOptions): Batches {
  const { accounts, nodes } = holdings;
  const waiting = new Map<string, () => void>();
  let isClosing = false;
  let markOf: (nodeId: string) => Mark | undefined = () => undefined;

  /** @returns the batch that the ledger has and this roster does not know of */
  function missedBatch(incarnation: string, batch: number, nodeId: string): number | undefined {
    const mark = markOf(nodeId);
    const held = nodes.get(nodeId);
    const inLedger = mark?.incarnation === incarnation ? mark.batch : 0;
    const here = held?.incarnation === incarnation && held.isCounted ? held.batch : 0;
    const known = Math.max(inLedger, here);
    return known > batch ? known : undefined;
  }

  function settle(part: NodePart): void {
    if (holdings.settlePart(part)) channels.get(part.nodeId)?.settled(part.incarnation, part.batch);
  }

  /** Brings a node to a batch that the ledger got from another replica. */
  function catchUp(figures: Figures, batch: number): void {
    const { frozen, nodeId, incarnation } = figures;
    if (frozen?.batch === batch && figures.batch === batch - 1) {
      settle(closingOf(figures, frozen));
      return;
    }
    // What was settled is not known here: nothing counts twice if nothing counts until the node says it.
    for (let slot = 0; slot < figures.keys.length; slot++) {
      const owner = ownerAt(figures.owners, slot);
      holdings.count(owner, -unsettledIn(figures, slot));
    }
    nodes.delete(nodeId);
    endSessions(figures, changes);
    holdings.clear(figures);
    channels.get(nodeId)?.settled(incarnation, batch);
  }

  async function close(waitMs: number): Promise<ClosedBatch> {
    const asked: Promise<void>[] = [];
    for (const [nodeId, channel] of channels) {
      const figures = nodes.get(nodeId);
      if (!figures?.isCounted) continue;
      asked.push(new Promise((resolve) => waiting.set(nodeId, resolve)));
      channel.close(figures.batch + 1);
    }
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, waitMs);
    });
    await Promise.race([Promise.all(asked), over]);
    clearTimeout(timer);
    waiting.clear();
    const parts: NodePart[] = [];
    for (const figures of nodes.values()) {
      const { frozen } = figures;
      if (figures.isCounted && frozen?.batch === figures.batch + 1) parts.push(closingOf(figures, frozen));
    }
    return batchOf(parts, holdings.left());
  }

  function batchOf(parts: readonly NodePart[], leftThen: ReadonlyMap<number, number>): ClosedBatch {
    const done = () => {
      invariant(isClosing, "a batch is settled or abandoned once");
      isClosing = false;
    };
    return {
      forEachSettled(each) {
        const tell = (owner: number, bytes: number) => {
          const id = accounts.idOf(owner);
          if (id !== undefined && bytes > 0) each(id, bytes);
        };
        for (const { owners, settled } of parts) {
          for (const [index, owner] of owners.entries()) {
            tell(owner, at(settled.received, index) + at(settled.sent, index));
          }
        }
        for (const [owner, bytes] of leftThen) tell(owner, settleable(bytes));
      },
      marks: parts.map(({ nodeId, incarnation, batch }) => ({ nodeId, incarnation, batch })),
      settled() {
        done();
        for (const [owner, bytes] of leftThen) holdings.takeFromLeft(owner, settleable(bytes));
        for (const part of parts) settle(part);
      },
      abandon: done,
    };
  }

  return {
    close(waitMs) {
      invariant(!isClosing, "one batch is closed at a time");
      isClosing = true;
      return close(waitMs);
    },
    answered(nodeId) {
      waiting.get(nodeId)?.();
      waiting.delete(nodeId);
    },
    useMarks(source) {
      markOf = source;
    },
    marksChanged() {
      for (const figures of [...nodes.values()]) {
        const { nodeId, incarnation, batch, isCounted } = figures;
        const missed = isCounted ? missedBatch(incarnation, batch, nodeId) : undefined;
        if (missed === undefined) continue;
        catchUp(figures, missed);
      }
      for (const [owner, bytes] of holdings.left()) holdings.takeFromLeft(owner, bytes);
    },
    settledElsewhere(nodeId, incarnation, batch) {
      const figures = nodes.get(nodeId);
      const isBehind = figures?.isCounted && figures.incarnation === incarnation && figures.batch < batch;
      if (isBehind) catchUp(figures, batch);
    },
    isSettledFirst(nodeId, { incarnation, batch }) {
      const missed = missedBatch(incarnation, batch, nodeId);
      if (missed === undefined) return false;
      const held = nodes.get(nodeId);
      if (held?.incarnation === incarnation && held.batch < missed) catchUp(held, missed);
      else channels.get(nodeId)?.settled(incarnation, missed);
      return true;
    },
  };
}
