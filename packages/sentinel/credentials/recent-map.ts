/** A bounded map that keeps what was used most recently. */
export interface RecentMap<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
  delete(key: Key): void;
  deleteWhere(isGone: (value: Value) => boolean): void;
  clear(): void;
  readonly size: number;
}

/**
 * Makes a map of at most `entriesMax` entries, of which the more recently used half is always kept.
 *
 * Entries live in two generations: when the young one is full it becomes the old one, and what was in the old
 * one without being used is gone. Unlike a list in order of use, a hit in the young generation writes nothing.
 *
 * @param entriesMax at least 2
 */
export function createRecentMap<Key, Value>(entriesMax: number): RecentMap<Key, Value> {
  const generationMax = Math.max(1, Math.floor(entriesMax / 2));
  let young = new Map<Key, Value>();
  let old = new Map<Key, Value>();

  function insert(key: Key, value: Value): void {
    if (young.size >= generationMax && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  }

  return {
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const older = old.get(key);
      if (older === undefined) return undefined;
      old.delete(key);
      insert(key, older);
      return older;
    },
    set(key, value) {
      old.delete(key);
      insert(key, value);
    },
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
    deleteWhere(isGone) {
      for (const generation of [young, old]) {
        for (const [key, value] of generation) if (isGone(value)) generation.delete(key);
      }
    },
    clear() {
      young.clear();
      old.clear();
    },
    get size() {
      return young.size + old.size;
    },
  };
}
