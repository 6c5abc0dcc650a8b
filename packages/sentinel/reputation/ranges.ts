import { createNetworkReader } from "./network-text.ts";
import { hostBits, type Networks, type SortedRanges, sortRanges } from "./sorted-ranges.ts";

/** A set of addresses of both families. */
export interface Ranges {
  /** Stretches of addresses without a gap. */
  readonly count: number;
  /** Bytes in memory. */
  readonly bytes: number;
  has(address: string): boolean;
}

/** Collects networks and compacts them at the end. */
export interface RangesBuilder {
  /** @returns false for what is no address and no network in CIDR form */
  add(network: string): boolean;
  build(): Ranges;
  /** The same, with pauses in which other work can be done. */
  buildInSlices(): Generator<undefined, Ranges>;
}

const WIDTHS = { 4: 1, 6: 4 } as const;

export function createRangesBuilder(): RangesBuilder {
  const reader = createNetworkReader();
  const collected = { 4: createCollection(WIDTHS[4]), 6: createCollection(WIDTHS[6]) };

  function* buildInSlices(): Generator<undefined, Ranges> {
    const narrow = yield* sortRanges(collected[4].networks(), WIDTHS[4]);
    const wide = yield* sortRanges(collected[6].networks(), WIDTHS[6]);
    return rangesOf(narrow, wide);
  }

  return {
    add(network) {
      if (!reader.read(network)) return false;
      collected[reader.family].add(reader.words, reader.prefixLength);
      return true;
    },
    build() {
      const slices = buildInSlices();
      for (;;) {
        const { done, value } = slices.next();
        if (done) return value;
      }
    },
    buildInSlices,
  };
}

function rangesOf(narrow: SortedRanges, wide: SortedRanges): Ranges {
  const reader = createNetworkReader();
  return {
    count: narrow.count + wide.count,
    bytes: narrow.bytes + wide.bytes,
    has: (address) => reader.read(address) && (reader.family === 4 ? narrow : wide).has(reader.words),
  };
}

/** Networks in arrays that double in size when they are full. */
function createCollection(width: number) {
  let words = new Uint32Array(64 * width);
  let prefixLengths = new Uint8Array(64);
  let count = 0;

  function grow(): void {
    const [wordsBefore, lengthsBefore] = [words, prefixLengths];
    words = new Uint32Array(wordsBefore.length * 2);
    words.set(wordsBefore);
    prefixLengths = new Uint8Array(lengthsBefore.length * 2);
    prefixLengths.set(lengthsBefore);
  }

  return {
    add(address: Uint32Array, prefixLength: number): void {
      if (count === prefixLengths.length) grow();
      for (let word = 0; word < width; word++)
        words[count * width + word] = (address[word] ?? 0) & ~hostBits(prefixLength, word);
      prefixLengths[count++] = prefixLength;
    },
    networks: (): Networks => ({ words: words.subarray(0, count * width), prefixLengths, count }),
  };
}
