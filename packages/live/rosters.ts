import type { Totals } from "@securewave/contracts/node-frames";
import { at, type Figures, type Impossible, isCount } from "./figures.ts";

/** The slots that a node named, and what it says to be settled of each. */
export interface NodeRoster {
  readonly incarnation: string;
  readonly number: number;
  readonly batch: number;
  readonly peers: readonly string[];
  readonly settled: Totals;
}

export function rosterOf(figures: Figures): NodeRoster {
  const { incarnation, number, batch, keys, settledReceived, settledSent } = figures;
  const slots = keys.length;
  const settled = { received: settledReceived.slice(0, slots), sent: settledSent.slice(0, slots) };
  return { incarnation, number, batch, peers: [...keys], settled };
}

export function slotsByKey({ keys }: Figures): Map<string, number> {
  return new Map(keys.map((key, slot) => [key, slot]));
}

/** Why a roster cannot be: within a batch, what is settled is what was; after it, it is not less. */
export function impossibleRoster(held: Figures | undefined, roster: NodeRoster): Impossible | undefined {
  const { received, sent } = roster.settled;
  if (!received.every(isCount) || !sent.every(isCount)) return "no_count";
  if (held?.incarnation !== roster.incarnation) return undefined;
  const slots = slotsByKey(held);
  const isSameBatch = roster.batch === held.batch;
  const isPossible = roster.peers.every((key, index) => {
    // A key that is new has nothing settled.
    const slot = slots.get(key) ?? held.keys.length;
    const inMore = at(received, index) - settledAt(held.settledReceived, slot, held);
    const outMore = at(sent, index) - settledAt(held.settledSent, slot, held);
    return isSameBatch ? inMore === 0 && outMore === 0 : inMore >= 0 && outMore >= 0;
  });
  return isPossible ? undefined : "settled_differs";
}

function settledAt(column: Float64Array, slot: number, { keys }: Figures): number {
  return slot < keys.length ? at(column, slot) : 0;
}
