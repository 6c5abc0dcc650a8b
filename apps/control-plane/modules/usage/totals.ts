import { invariant } from "@securewave/foundation";

/** Longest id of an account in bytes; those of `createId` have 24. */
const ID_BYTES = 32;
const FIRST_CAPACITY = 1024;
/** Of each hundred places of the index so many are taken at most. */
const LOAD_MAX = 0.5;
const NONE = 0;

/**
 * What each account used and was told, by a number of its own: some 60 bytes for each, where a `Map` with
 * objects takes four times as much.
 */
export interface Totals {
  /** With those that are no more. */
  count(): number;
  /** @returns undefined for an account that is not in here */
  find(accountId: string): number | undefined;
  /** Finds it, or adds it with nothing used. */
  add(accountId: string): number;
  /** The account is no more; its number stays taken. */
  forget(accountId: string): void;
  isForgotten(slot: number): boolean;
  idOf(slot: number): string;
  usedMiBOf(slot: number): number;
  toldOf(slot: number): number;
  set(slot: number, usedMiB: number, told: number): void;
  /** Sets everything to nothing used and nothing told. */
  clear(): void;
}

export function createTotals(): Totals {
  let capacity = FIRST_CAPACITY;
  let count = 0;
  let ids = Buffer.alloc(capacity * ID_BYTES);
  let used = new Uint32Array(capacity);
  let told = new Uint8Array(capacity);
  const forgotten = new Set<number>();
  /** Open addressing: slot + 1, or 0 for an empty place. */
  let index = new Uint32Array(capacity / LOAD_MAX);

  function isAt(slot: number, accountId: string): boolean {
    const start = slot * ID_BYTES;
    for (let at = 0; at < accountId.length; at++) {
      if (ids[start + at] !== accountId.charCodeAt(at)) return false;
    }
    return accountId.length === ID_BYTES || ids[start + accountId.length] === 0;
  }

  /** Where an id stands in the index, or would stand. */
  function placeOf(accountId: string): number {
    const mask = index.length - 1;
    for (let place = hashOf(accountId) & mask; ; place = (place + 1) & mask) {
      const entry = index[place] ?? NONE;
      if (entry === NONE || isAt(entry - 1, accountId)) return place;
    }
  }

  function idOf(slot: number): string {
    const start = slot * ID_BYTES;
    const end = ids.indexOf(0, start);
    return ids.toString("latin1", start, end === -1 ? start + ID_BYTES : Math.min(end, start + ID_BYTES));
  }

  function grow(): void {
    capacity *= 2;
    const former = { ids, used, told };
    ids = Buffer.alloc(capacity * ID_BYTES);
    used = new Uint32Array(capacity);
    told = new Uint8Array(capacity);
    index = new Uint32Array(capacity / LOAD_MAX);
    ids.set(former.ids);
    used.set(former.used);
    told.set(former.told);
    for (let slot = 0; slot < count; slot++) index[placeOf(idOf(slot))] = slot + 1;
  }

  return {
    count: () => count,
    find(accountId) {
      const entry = index[placeOf(accountId)] ?? NONE;
      return entry === NONE ? undefined : entry - 1;
    },
    add(accountId) {
      const entry = index[placeOf(accountId)] ?? NONE;
      if (entry !== NONE) return entry - 1;
      invariant(/^[\x21-\x7e]{1,32}$/.test(accountId), "an account's id is at most 32 printable characters");
      if (count === capacity) grow();
      const slot = count++;
      ids.write(accountId, slot * ID_BYTES, "latin1");
      index[placeOf(accountId)] = slot + 1;
      return slot;
    },
    forget(accountId) {
      const slot = (index[placeOf(accountId)] ?? NONE) - 1;
      if (slot >= 0) forgotten.add(slot);
    },
    isForgotten: (slot) => forgotten.has(slot),
    idOf,
    usedMiBOf: (slot) => used[slot] ?? 0,
    toldOf: (slot) => told[slot] ?? 0,
    set(slot, usedMiB, toldPercent) {
      used[slot] = usedMiB;
      told[slot] = toldPercent;
    },
    clear() {
      used.fill(0);
      told.fill(0);
    },
  };
}

/** FNV-1a; ids are random, so that nobody can choose them to collide. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return hash >>> 0;
}
