/** Disjoint stretches of addresses, sorted: where each begins and ends, both included. */
export interface SortedRanges {
  readonly count: number;
  readonly bytes: number;
  /** @param words an address, of as many words as those here have */
  has(words: Uint32Array): boolean;
}

/** Networks in the order they came: the words of each address, one behind the other. */
export interface Networks {
  readonly words: Uint32Array;
  readonly prefixLengths: Uint8Array;
  readonly count: number;
}

/** Entries that are worked on before other work gets its turn: about a millisecond. */
const ENTRIES_AT_A_TIME = 1 << 16;
const BUCKETS = 1 << 16;

/** Sorts networks and joins those that overlap or touch; pauses where it yields. */
export function* sortRanges(networks: Networks, width: number): Generator<undefined, SortedRanges> {
  const sorted = yield* sortByStart(networks, width);
  const { starts, ends } = yield* join(sorted, width);
  return {
    count: starts.length / width,
    bytes: starts.byteLength + ends.byteLength,
    has: (words) => isWithin(starts, ends, words, width),
  };
}

/** Radix sort, 16 bits at a time from the lowest; networks are never compared, and it can pause anywhere. */
function* sortByStart(networks: Networks, width: number): Generator<undefined, Networks> {
  const { count } = networks;
  let from = networks;
  let to = emptyNetworks(count, width);
  for (let digit = 0; digit < width * 2; digit++) {
    const word = width - 1 - (digit >> 1);
    const shift = (digit & 1) * 16;
    const places = new Uint32Array(BUCKETS);
    for (let at = 0; at < count; at += ENTRIES_AT_A_TIME) {
      countDigits(from, places, { at, width, word, shift });
      yield;
    }
    if (places.includes(count)) continue; // all have the same digit here
    toPlaces(places);
    for (let at = 0; at < count; at += ENTRIES_AT_A_TIME) {
      moveEntries(from, to, places, { at, width, word, shift });
      yield;
    }
    const free = from === networks ? emptyNetworks(count, width) : from;
    from = to;
    to = free;
  }
  return from;
}

interface Slice {
  readonly at: number;
  readonly width: number;
  readonly word: number;
  readonly shift: number;
}

function countDigits(from: Networks, places: Uint32Array, { at, width, word, shift }: Slice): void {
  const end = Math.min(at + ENTRIES_AT_A_TIME, from.count);
  for (let entry = at; entry < end; entry++) {
    const digit = ((from.words[entry * width + word] ?? 0) >>> shift) & 0xffff;
    places[digit] = (places[digit] ?? 0) + 1;
  }
}

/** Makes of how many there are of each digit where the first of them goes. */
function toPlaces(counts: Uint32Array): void {
  let place = 0;
  for (let digit = 0; digit < BUCKETS; digit++) {
    const count = counts[digit] ?? 0;
    counts[digit] = place;
    place += count;
  }
}

function moveEntries(from: Networks, to: Networks, places: Uint32Array, slice: Slice): void {
  const { at, width, word, shift } = slice;
  const end = Math.min(at + ENTRIES_AT_A_TIME, from.count);
  for (let entry = at; entry < end; entry++) {
    const digit = ((from.words[entry * width + word] ?? 0) >>> shift) & 0xffff;
    const place = places[digit] ?? 0;
    places[digit] = place + 1;
    for (let each = 0; each < width; each++)
      to.words[place * width + each] = from.words[entry * width + each] ?? 0;
    to.prefixLengths[place] = from.prefixLengths[entry] ?? 0;
  }
}

function emptyNetworks(count: number, width: number): Networks {
  return { words: new Uint32Array(count * width), prefixLengths: new Uint8Array(count), count };
}

function* join(
  { words, prefixLengths, count }: Networks,
  width: number,
): Generator<undefined, { starts: Uint32Array; ends: Uint32Array }> {
  const starts = new Uint32Array(words.length);
  const ends = new Uint32Array(words.length);
  const end = new Uint32Array(width);
  let used = 0;
  for (let entry = 0; entry < count; entry++) {
    if (entry % ENTRIES_AT_A_TIME === 0) yield;
    const at = entry * width;
    for (let word = 0; word < width; word++)
      end[word] = (words[at + word] ?? 0) | hostBits(prefixLengths[entry] ?? 0, word);
    const last = (used - 1) * width;
    if (used === 0 || !reaches(ends, last, words, at, width)) {
      copyWords(words, at, starts, used * width, width);
      copyWords(end, 0, ends, used * width, width);
      used++;
    } else if (compare(end, 0, ends, last, width) > 0) copyWords(end, 0, ends, last, width);
  }
  return { starts: starts.slice(0, used * width), ends: ends.slice(0, used * width) };
}

/** The bits of a word that lie below a prefix. */
export function hostBits(prefixLength: number, word: number): number {
  const bits = prefixLength - word * 32;
  return bits <= 0 ? 0xffffffff : bits >= 32 ? 0 : 0xffffffff >>> bits;
}

/** Whether a start lies within what ends there, or is the next address behind it. */
function reaches(
  ends: Uint32Array,
  endAt: number,
  starts: Uint32Array,
  startAt: number,
  width: number,
): boolean {
  if (compare(starts, startAt, ends, endAt, width) <= 0) return true;
  for (let word = width - 1; word >= 0; word--) {
    const next = ((ends[endAt + word] ?? 0) + 1) >>> 0;
    if (starts[startAt + word] !== next) return false;
    if (next !== 0) return compare(starts, startAt, ends, endAt, word) === 0;
  }
  return false;
}

function compare(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number, width: number): number {
  for (let word = 0; word < width; word++) {
    const difference = (a[aAt + word] ?? 0) - (b[bAt + word] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function copyWords(from: Uint32Array, fromAt: number, to: Uint32Array, toAt: number, width: number): void {
  for (let word = 0; word < width; word++) to[toAt + word] = from[fromAt + word] ?? 0;
}

/** Binary search for the last start that is not above the address. */
function isWithin(starts: Uint32Array, ends: Uint32Array, words: Uint32Array, width: number): boolean {
  let low = 0;
  let high = starts.length / width;
  const first = words[0] ?? 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const start = starts[middle * width] ?? 0;
    // Most differ in the first word already.
    if (start < first || (start === first && compare(starts, middle * width, words, 0, width) <= 0))
      low = middle + 1;
    else high = middle;
  }
  return low > 0 && compare(words, 0, ends, (low - 1) * width, width) <= 0;
}
