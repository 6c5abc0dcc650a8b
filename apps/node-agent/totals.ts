import { randomBytes } from "node:crypto";
import {
  AGE_NONE,
  encodeFigures,
  encodeSettled,
  SESSION_SECONDS_MAX,
  settleable,
} from "@securewave/contracts/node-frames";
import type { Roster, Slots } from "@securewave/contracts/node-protocol";
import type { PeerCounters } from "./drivers/driver.ts";

const INCARNATION_BYTES = 16;
const COUNTER_MAX = 2 ** 32;
/** So many readings may come in while peers are made anew. */
const READINGS_MEANWHILE_MAX = 6;

/** What is kept of each slot, by name; each is a number of bytes. */
export const COLUMNS = [
  "received",
  "sent",
  "settledReceived",
  "settledSent",
  "frozenReceived",
  "frozenSent",
  /** What the interface's own counters said last. */
  "rawReceived",
  "rawSent",
] as const;
export type Column = (typeof COLUMNS)[number];

/** All that outlives the agent, so that a restarted one counts on. */
export interface SavedTotals {
  readonly incarnation: string;
  readonly number: number;
  readonly batch: number;
  readonly frozenBatch: number | null;
  readonly keys: readonly string[];
  /** 1 for a slot whose peer was removed; 2 when that was before the batch was frozen. */
  readonly removed: Uint8Array;
  readonly columns: Readonly<Record<Column, Float64Array>>;
}

/**
 * What each peer carried since the incarnation began. Counters of an interface begin at zero whenever the peer or the
 * interface is made anew; these totals never go backwards.
 */
export interface Totals {
  /** Takes counters in. A counter that fell means a peer that was made anew, so all it says is new. */
  absorb(counters: readonly PeerCounters[]): void;
  /** The interface was made anew, so that all its counters begin at zero. */
  interfaceMade(): void;
  /** These peers were made anew, since the last reading or some readings ago. */
  forgotten(publicKeys: Iterable<string>): void;
  /** Gives slots to the peers that are wanted and have none, and notes which are wanted no more. */
  follow(publicKeys: Iterable<string>): void;
  roster(): Roster;
  /** Slots that were added since the roster or slots that were told last; undefined when there are none. */
  takeNewSlots(): Slots | undefined;
  /** @param ages seconds since the handshakes of those that made one */
  report(sequence: number, ages: ReadonlyMap<string, number>): Uint8Array<ArrayBuffer>;
  /**
   * Freezes the totals as the batch after the last that was settled. A batch that is frozen stays as it is.
   *
   * @returns whether the batch of this number is frozen
   */
  freeze(number: number): boolean;
  /** @returns undefined unless this batch is frozen */
  batch(number: number): Uint8Array<ArrayBuffer> | undefined;
  /**
   * The ledger has a batch.
   *
   * @returns whether the roster is another one
   */
  settle(incarnation: string, batch: number): boolean;
  /** Begins a new incarnation, which counts from here on. */
  recount(): void;
  /**
   * What is to be written; shares memory with what is counted on. Undefined until it is known where counting begins:
   * an agent that took over from such totals would count what was counted before.
   */
  save(): SavedTotals | undefined;
}

export function createTotals(saved: SavedTotals | undefined): Totals {
  let incarnation = saved?.incarnation ?? newIncarnation();
  let number = saved?.number ?? 0;
  let batch = saved?.batch ?? 0;
  let frozenBatch = saved?.frozenBatch ?? null;
  let keys = [...(saved?.keys ?? [])];
  let slots = new Map(keys.map((key, slot) => [key, slot]));
  let removed = saved?.removed.slice() ?? new Uint8Array(0);
  let columns = columnsOf((column) => saved?.columns[column].slice() ?? new Float64Array(0));
  let readings = READINGS_MEANWHILE_MAX;
  /** The reading in which a peer's counters were last seen to begin anew. */
  let fellAt = new Float64Array(keys.length);
  /** Slots that the control plane was told of. */
  let told = keys.length;
  /** Without what was counted before, what an interface says first was counted already or is nobody's. */
  let isBaseline = saved === undefined;

  function reserve(count: number): void {
    if (count <= removed.length) return;
    const room = Math.max(count, Math.min(2 * removed.length, removed.length + 4096));
    const held = { removed, columns, fellAt };
    fellAt = new Float64Array(room);
    fellAt.set(held.fellAt);
    removed = new Uint8Array(room);
    removed.set(held.removed);
    columns = columnsOf((column) => {
      const wider = new Float64Array(room);
      wider.set(held.columns[column]);
      return wider;
    });
  }

  function addSlot(publicKey: string): void {
    const slot = keys.push(publicKey) - 1;
    slots.set(publicKey, slot);
    reserve(keys.length);
  }

  function begin(): void {
    incarnation = newIncarnation();
    number = 0;
    batch = 0;
    frozenBatch = null;
    for (const column of COLUMNS) if (!column.startsWith("raw")) columns[column].fill(0);
  }

  /** Keeps the slots for which it says so, in their order. */
  function keep(isKept: (slot: number) => boolean): void {
    const from = keys.flatMap((_, slot) => (isKept(slot) ? [slot] : []));
    if (from.length === keys.length) return;
    const held = { keys, removed, columns };
    keys = from.map((slot) => held.keys[slot] ?? "");
    slots = new Map(keys.map((key, slot) => [key, slot]));
    removed = Uint8Array.from(from, (slot) => held.removed[slot] ?? 0);
    columns = columnsOf((column) => Float64Array.from(from, (slot) => held.columns[column][slot] ?? 0));
    fellAt = new Float64Array(keys.length);
  }

  function absorbOne({ publicKey, receivedBytes, sentBytes }: PeerCounters): void {
    const slot = slots.get(publicKey);
    if (slot === undefined) return;
    const { rawReceived, rawSent, received, sent } = columns;
    const beforeReceived = rawReceived[slot] ?? 0;
    const beforeSent = rawSent[slot] ?? 0;
    rawReceived[slot] = receivedBytes;
    rawSent[slot] = sentBytes;
    if (isBaseline) return;
    const isAnew = receivedBytes < beforeReceived || sentBytes < beforeSent;
    if (isAnew) fellAt[slot] = readings;
    received[slot] = (received[slot] ?? 0) + receivedBytes - (isAnew ? 0 : beforeReceived);
    sent[slot] = (sent[slot] ?? 0) + sentBytes - (isAnew ? 0 : beforeSent);
  }

  const arrayOf = (column: Column) => columns[column].subarray(0, keys.length);

  return {
    absorb(counters) {
      readings++;
      const seen = new Uint8Array(keys.length);
      for (const peer of counters) {
        const slot = slots.get(peer.publicKey);
        if (slot !== undefined) seen[slot] = 1;
        absorbOne(peer);
      }
      // A peer that a reading does not have was made anew, or is gone.
      for (let slot = 0; slot < seen.length; slot++) {
        if (seen[slot] === 1) continue;
        if ((columns.rawReceived[slot] ?? 0) + (columns.rawSent[slot] ?? 0) > 0) fellAt[slot] = readings;
        columns.rawReceived[slot] = 0;
        columns.rawSent[slot] = 0;
      }
      isBaseline = false;
    },
    interfaceMade() {
      isBaseline = false;
      columns.rawReceived.fill(0);
      columns.rawSent.fill(0);
    },
    forgotten(publicKeys) {
      for (const key of publicKeys) {
        const slot = slots.get(key);
        // A reading that was taken meanwhile has seen it already, and what came since then would count twice.
        if (slot === undefined || readings - (fellAt[slot] ?? 0) < READINGS_MEANWHILE_MAX) continue;
        columns.rawReceived[slot] = 0;
        columns.rawSent[slot] = 0;
      }
    },
    follow(publicKeys) {
      const wanted = new Uint8Array(keys.length);
      for (const key of publicKeys) {
        const slot = slots.get(key);
        if (slot === undefined) addSlot(key);
        else wanted[slot] = 1;
      }
      for (let slot = 0; slot < wanted.length; slot++) {
        if (wanted[slot] === 1) removed[slot] = 0;
        else if (removed[slot] === 0) removed[slot] = 1;
      }
    },
    roster() {
      number = (number + 1) % COUNTER_MAX;
      told = keys.length;
      const settled = encodeSettled({ received: arrayOf("settledReceived"), sent: arrayOf("settledSent") });
      return { type: "roster", incarnation, number, batch, peers: [...keys], settled };
    },
    takeNewSlots() {
      if (told === keys.length) return undefined;
      const peers = keys.slice(told);
      number = (number + 1) % COUNTER_MAX;
      told = keys.length;
      return { type: "slots", number, peers };
    },
    report(sequence, agesByKey) {
      const ages = new Uint8Array(told).fill(AGE_NONE);
      for (const [publicKey, age] of agesByKey) {
        const slot = slots.get(publicKey);
        if (slot !== undefined && slot < told && age < SESSION_SECONDS_MAX) ages[slot] = age;
      }
      const received = columns.received.subarray(0, told);
      const sent = columns.sent.subarray(0, told);
      return encodeFigures({ kind: "report", roster: number, sequence, received, sent, ages });
    },
    freeze(wanted) {
      if (frozenBatch !== null || wanted !== batch + 1) return frozenBatch === wanted;
      frozenBatch = batch + 1;
      columns.frozenReceived.set(columns.received);
      columns.frozenSent.set(columns.sent);
      for (let slot = 0; slot < keys.length; slot++) if (removed[slot] === 1) removed[slot] = 2;
      return true;
    },
    batch(wanted) {
      if (frozenBatch !== wanted) return undefined;
      const received = columns.frozenReceived.subarray(0, told);
      const sent = columns.frozenSent.subarray(0, told);
      return encodeFigures({ kind: "batch", roster: number, batch: wanted, received, sent });
    },
    settle(ofIncarnation, settledBatch) {
      if (ofIncarnation !== incarnation || settledBatch <= batch) return false;
      if (settledBatch !== frozenBatch) {
        // The ledger has what this agent does not know of: whatever it said would count something twice.
        begin();
        return true;
      }
      const { received, sent, settledReceived, settledSent, frozenReceived, frozenSent } = columns;
      for (let slot = 0; slot < keys.length; slot++) {
        const [receivedBefore, sentBefore] = [settledReceived[slot] ?? 0, settledSent[slot] ?? 0];
        settledReceived[slot] = receivedBefore + settleable((frozenReceived[slot] ?? 0) - receivedBefore);
        settledSent[slot] = sentBefore + settleable((frozenSent[slot] ?? 0) - sentBefore);
      }
      batch = settledBatch;
      frozenBatch = null;
      keep(
        (slot) =>
          removed[slot] !== 2 || received[slot] !== frozenReceived[slot] || sent[slot] !== frozenSent[slot],
      );
      return true;
    },
    recount() {
      begin();
    },
    save() {
      if (isBaseline) return undefined;
      const states = removed.subarray(0, keys.length);
      return { incarnation, number, batch, frozenBatch, keys, removed: states, columns: columnsOf(arrayOf) };
    },
  };
}

function columnsOf(make: (column: Column) => Float64Array): Record<Column, Float64Array> {
  return {
    received: make("received"),
    sent: make("sent"),
    settledReceived: make("settledReceived"),
    settledSent: make("settledSent"),
    frozenReceived: make("frozenReceived"),
    frozenSent: make("frozenSent"),
    rawReceived: make("rawReceived"),
    rawSent: make("rawSent"),
  };
}

function newIncarnation(): string {
  return randomBytes(INCARNATION_BYTES).toString("base64url");
}
