import { AGE_NONE, type ReportFrame, settleable, type Totals } from "@securewave/contracts/node-frames";

/** Stands for a slot of a key that nobody has. */
export const NOBODY = -1;

/** A figure of a slot that is there. */
export function at(figures: Float64Array, slot: number): number {
  return figures[slot] ?? 0;
}

// One function for each kind of array: what sees several kinds is slow on all of them.

export function ownerAt(owners: Int32Array, slot: number): number {
  return owners[slot] ?? NOBODY;
}

export function ageAt(ages: Uint8Array, slot: number): number {
  return ages[slot] ?? AGE_NONE;
}

/** What one node reported in one incarnation, by slot. */
export interface Figures {
  readonly nodeId: string;
  readonly incarnation: string;
  /** Of the roster that the slots are of. */
  number: number;
  /** The last batch that was settled. */
  batch: number;
  readonly keys: string[];
  /** How many of them the roster had; a peer that came later began at zero. */
  readonly rosterSlots: number;
  /** Numbers of accounts, or `NOBODY`. Arrays may be longer than `keys`. */
  owners: Int32Array;
  received: Float64Array;
  sent: Float64Array;
  settledReceived: Float64Array;
  settledSent: Float64Array;
  /** Totals when the present session began. */
  beforeReceived: Float64Array;
  beforeSent: Float64Array;
  ages: Uint8Array;
  /** 1 for a slot that had a session in the last report or the one before. */
  touched: Uint8Array;
  connected: number;
  /** False while the node is distrusted: who is connected is shown, and no byte counts. */
  isCounted: boolean;
  /** False until the first report: totals are those that were settled. */
  hasReport: boolean;
  /** When the last report came, by the clock. */
  reportedAtMs: number;
  /** The same by a clock that is never set; undefined before the first report that this process saw. */
  steadyAtMs: number | undefined;
  /** What the line could have carried before and did not, as far as reports can come late. */
  spareBytes: number;
  /** A batch that was asked for and is not settled. */
  frozen: Frozen | undefined;
}

export interface Frozen extends Totals {
  readonly batch: number;
}

/** Why what a node says cannot be. */
export type Impossible =
  /** Negative, not whole, above 2^53, or no number. */
  | "no_count"
  /** Less than before in the same incarnation. */
  | "backwards"
  /** More than its line can have carried since the last report. */
  | "above_line"
  /** Bytes of a peer that is another node's. */
  | "foreign_peer"
  /** Other bytes as settled than were. */
  | "settled_differs"
  /** An incarnation that had ended. */
  | "ended_incarnation";

export function createFigures(
  nodeId: string,
  incarnation: string,
  at: Pick<Figures, "number" | "batch" | "rosterSlots" | "isCounted">,
): Figures {
  return {
    nodeId,
    incarnation,
    ...at,
    keys: [],
    owners: new Int32Array(0),
    received: new Float64Array(0),
    sent: new Float64Array(0),
    settledReceived: new Float64Array(0),
    settledSent: new Float64Array(0),
    beforeReceived: new Float64Array(0),
    beforeSent: new Float64Array(0),
    ages: new Uint8Array(0),
    touched: new Uint8Array(0),
    connected: 0,
    hasReport: false,
    reportedAtMs: 0,
    steadyAtMs: undefined,
    spareBytes: 0,
    frozen: undefined,
  };
}

/** Makes room for so many slots, all zero. */
export function reserve(figures: Figures, slots: number): void {
  const held = figures.owners.length;
  if (slots <= held) return;
  const room = Math.max(slots, Math.min(2 * held, held + 4096));
  const wider = (array: Float64Array) => {
    const next = new Float64Array(room);
    next.set(array);
    return next;
  };
  figures.received = wider(figures.received);
  figures.sent = wider(figures.sent);
  figures.settledReceived = wider(figures.settledReceived);
  figures.settledSent = wider(figures.settledSent);
  figures.beforeReceived = wider(figures.beforeReceived);
  figures.beforeSent = wider(figures.beforeSent);
  const { owners, ages, touched } = figures;
  figures.owners = new Int32Array(room).fill(NOBODY);
  figures.owners.set(owners);
  figures.ages = new Uint8Array(room).fill(AGE_NONE);
  figures.ages.set(ages);
  figures.touched = new Uint8Array(room);
  figures.touched.set(touched);
}

/** Adds a slot of which nothing was counted. */
export function addSlot(figures: Figures, publicKey: string, owner: number): number {
  const slot = figures.keys.push(publicKey) - 1;
  reserve(figures, slot + 1);
  figures.owners[slot] = owner;
  figures.ages[slot] = AGE_NONE;
  return slot;
}

/** Bytes of a slot that are not settled. */
export function unsettledIn(figures: Figures, slot: number): number {
  const { received, sent, settledReceived, settledSent } = figures;
  const up = at(received, slot) - at(settledReceived, slot);
  return up + at(sent, slot) - at(settledSent, slot);
}

export function isCount(bytes: number): boolean {
  return Number.isSafeInteger(bytes) && bytes >= 0;
}

/** @returns why these totals cannot follow on those that are held; or how many more bytes the busier direction has */
export function moreIn(
  figures: Figures,
  { received, sent }: Totals,
  most: { bytesMax: number; isForeign?: (publicKey: string) => boolean },
): Impossible | number {
  let receivedMore = 0;
  let sentMore = 0;
  const { received: heldReceived, sent: heldSent, owners, keys } = figures;
  for (let slot = 0; slot < keys.length; slot++) {
    const inNext = received[slot] ?? Number.NaN;
    const outNext = sent[slot] ?? Number.NaN;
    const inMore = inNext - at(heldReceived, slot);
    const outMore = outNext - at(heldSent, slot);
    if (inMore === 0 && outMore === 0) continue;
    if (!isCount(inNext) || !isCount(outNext)) return "no_count";
    if (inMore < 0 || outMore < 0) return "backwards";
    if (ownerAt(owners, slot) === NOBODY && figures.hasReport && most.isForeign?.(keys[slot] ?? "")) {
      return "foreign_peer";
    }
    receivedMore += inMore;
    sentMore += outMore;
  }
  const more = Math.max(receivedMore, sentMore);
  return more > most.bytesMax ? "above_line" : more;
}

/** Hears what a report changed, by slot. */
export interface Changes {
  /** More bytes, of a slot that is somebody's. */
  used(owner: number, bytes: number): void;
  /** A session began or ended. */
  connected(owner: number): void;
}

/** Takes totals in that were found possible. */
export function takeTotals(figures: Figures, { received, sent }: Totals, changes: Changes): void {
  const { keys, owners, received: heldReceived, sent: heldSent } = figures;
  for (let slot = 0; slot < keys.length; slot++) {
    const inNext = at(received, slot);
    const outNext = at(sent, slot);
    const more = inNext - at(heldReceived, slot) + outNext - at(heldSent, slot);
    if (more === 0) continue;
    heldReceived[slot] = inNext;
    heldSent[slot] = outNext;
    const owner = ownerAt(owners, slot);
    if (owner !== NOBODY) changes.used(owner, more);
  }
}

/** Takes the sessions of a report in; before its totals, since a session's bytes begin where the totals stand. */
export function takeAges(figures: Figures, report: ReportFrame, changes: Changes): void {
  const { keys, owners, ages, touched } = figures;
  const isFirst = figures.isCounted && !figures.hasReport;
  for (let slot = 0; slot < keys.length; slot++) {
    const before = ageAt(ages, slot);
    const age = ageAt(report.ages, slot);
    if (before === AGE_NONE && age === AGE_NONE) {
      touched[slot] = 0;
      continue;
    }
    const owner = ownerAt(owners, slot);
    if (owner === NOBODY) continue;
    touched[slot] = 1;
    ages[slot] = age;
    if (before !== AGE_NONE && age !== AGE_NONE) continue;
    figures.connected += age === AGE_NONE ? -1 : 1;
    const held: Totals = isFirst && slot < figures.rosterSlots ? report : figures;
    figures.beforeReceived[slot] = at(held.received, slot);
    figures.beforeSent[slot] = at(held.sent, slot);
    changes.connected(owner);
  }
}

/** Ends all sessions: nothing is known of them any more. */
export function endSessions(figures: Figures, changes: Pick<Changes, "connected">): void {
  const { keys, owners, ages, touched } = figures;
  for (let slot = 0; slot < keys.length; slot++) {
    touched[slot] = ages[slot] === AGE_NONE ? 0 : 1;
    if (touched[slot] === 0) continue;
    ages[slot] = AGE_NONE;
    const owner = ownerAt(owners, slot);
    if (owner !== NOBODY) changes.connected(owner);
  }
  figures.connected = 0;
}

/** What a batch settles of each slot: whole MiB in each direction. */
export function settlementOf(figures: Figures, frozen: Totals): Totals {
  const slots = frozen.received.length;
  const received = new Float64Array(slots);
  const sent = new Float64Array(slots);
  for (let slot = 0; slot < slots; slot++) {
    received[slot] = settleable(at(frozen.received, slot) - at(figures.settledReceived, slot));
    sent[slot] = settleable(at(frozen.sent, slot) - at(figures.settledSent, slot));
  }
  return { received, sent };
}

/** What goes on of a slot when a roster gives it another place. */
export function copySlot(held: Figures, old: number, next: Figures, slot: number): void {
  next.received[slot] = Math.max(at(held.received, old), at(next.received, slot));
  next.sent[slot] = Math.max(at(held.sent, old), at(next.sent, slot));
  next.beforeReceived[slot] = at(held.beforeReceived, old);
  next.beforeSent[slot] = at(held.beforeSent, old);
  next.ages[slot] = ageAt(held.ages, old);
  if (next.ages[slot] !== AGE_NONE) next.connected++;
}
