export interface ExpiringMapOptions {
  /** An entry is there for so long after it was last read or set, and is gone after twice that. */
  readonly lifeMs: number;
  /** At least 2; the more recently used half is always kept. */
  readonly entriesMax: number;
}

/** A bounded map whose entries end when they are not used. Every call is told the time. */
export interface ExpiringMap<Value> {
  get(key: string, nowMs: number): Value | undefined;
  set(key: string, value: Value, nowMs: number): void;
  delete(key: string): void;
  /** Drops what has ended; to be called now and then, for a map that nobody uses. */
  sweep(nowMs: number): void;
  values(): Generator<Value>;
  size(): number;
}

/**
 * Entries live in two generations. When the young one is full or its time is over it becomes the old one, and what
 * was in the old one without being used is gone: nothing is ever searched for what has ended.
 */
export function createExpiringMap<Value>({ lifeMs, entriesMax }: ExpiringMapOptions): ExpiringMap<Value> {
  const generationMax = Math.max(1, Math.floor(entriesMax / 2));
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  let endsAtMs = 0;

  function sweep(nowMs: number): void {
    if (nowMs < endsAtMs) return;
    const isNext = nowMs < endsAtMs + lifeMs;
    old = isNext ? young : new Map();
    young = new Map();
    endsAtMs = isNext ? endsAtMs + lifeMs : nowMs + lifeMs;
  }

  function insert(key: string, value: Value, nowMs: number): void {
    if (young.size >= generationMax) {
      old = young;
      young = new Map();
      endsAtMs = nowMs + lifeMs;
    }
    young.set(key, value);
  }

  return {
    get(key, nowMs) {
      if (nowMs >= endsAtMs) sweep(nowMs);
      const value = young.get(key);
      if (value !== undefined) return value;
      const older = old.get(key);
      if (older === undefined) return undefined;
      old.delete(key);
      insert(key, older, nowMs);
      return older;
    },
    set(key, value, nowMs) {
      if (nowMs >= endsAtMs) sweep(nowMs);
      old.delete(key);
      if (young.has(key)) young.set(key, value);
      else insert(key, value, nowMs);
    },
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
    sweep,
    *values() {
      yield* young.values();
      yield* old.values();
    },
    size: () => young.size + old.size,
  };
}
