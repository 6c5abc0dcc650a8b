import { invariant } from "@securewave/foundation";

const FIRST_CAPACITY = 64;

/** Secrets of one length by number, in one piece of memory that is overwritten when they go. */
export interface Seeds {
  has(name: number): boolean;
  /** A view, which the next change may overwrite. */
  get(name: number): Buffer;
  /** Copies it in. */
  set(name: number, seed: Uint8Array): void;
  /** Removes it. @returns a copy, which the caller overwrites */
  take(name: number): Buffer;
  names(): number[];
  entries(): Iterable<[number, Buffer]>;
  size(): number;
  wipe(): void;
}

export function createSeeds(length: number): Seeds {
  const places = new Map<number, number>();
  const free: number[] = [];
  let memory = Buffer.alloc(FIRST_CAPACITY * length);
  let used = 0;

  const viewOf = (place: number) => memory.subarray(place * length, (place + 1) * length);

  function freePlace(): number {
    const place = free.pop() ?? used++;
    if (viewOf(place).length < length) {
      const larger = Buffer.alloc(memory.length * 2);
      memory.copy(larger);
      memory.fill(0);
      memory = larger;
    }
    return place;
  }

  function placeOf(name: number): number {
    const place = places.get(name);
    invariant(place !== undefined, "a seed that is asked for is there");
    return place;
  }

  return {
    has: (name) => places.has(name),
    get: (name) => viewOf(placeOf(name)),
    set(name, seed) {
      invariant(seed.length === length, "all seeds have the same length");
      const place = places.get(name) ?? freePlace();
      places.set(name, place);
      viewOf(place).set(seed);
    },
    take(name) {
      const place = placeOf(name);
      const seed = Buffer.from(viewOf(place));
      viewOf(place).fill(0);
      places.delete(name);
      free.push(place);
      return seed;
    },
    names: () => [...places.keys()],
    *entries() {
      for (const [name, place] of places) yield [name, viewOf(place)];
    },
    size: () => places.size,
    wipe() {
      memory.fill(0);
      places.clear();
    },
  };
}
