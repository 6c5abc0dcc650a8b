import { PATTERN_BYTES_MIN } from "./pattern.ts";

export interface Wanted {
  readonly bytes: Buffer;
  readonly isNumber: boolean;
}

/** Called for each match; `around` holds the match at `at`, and what stands near it. */
export type OnMatch = (index: number, offset: number, around: Buffer, at: number) => void;

/** Many patterns, made ready to be looked for. */
export interface Matcher {
  /** Begins on a new stream. */
  begin(onMatch: OnMatch): MatcherStream;
}

export interface MatcherStream {
  /** Looks at the next bytes; the buffer can be used again afterwards. */
  write(chunk: Buffer): void;
  end(): void;
}

/** So many bytes before and behind a match are handed on with it. */
const AROUND_BYTES = 48;
const WORD_BYTES = 4;
const PAIR_BYTES = 2;
/** So long that an aligned word lies in it wherever it begins. */
const LONG_BYTES = 2 * WORD_BYTES - 1;
/** 2^19 marks are 512 KiB, which stay in the processor's cache. */
const MARK_BITS = 19;
const MARK_SHIFT = 32 - MARK_BITS;
/** 2^32 divided by the golden ratio, as a signed number: Knuth's multiplicative hash. */
const SPREAD = 0x9e3779b1 | 0;
const BLOCK_BYTES = 256 * 1024;

/** A pattern by a word or pair of its bytes, which lies at `anchor` in it. */
interface Entry {
  readonly index: number;
  readonly bytes: Buffer;
  readonly isNumber: boolean;
  readonly anchor: number;
}

interface Tables {
  readonly wordMarks: Uint8Array;
  readonly words: ReadonlyMap<number, readonly Entry[]>;
  readonly pairMarks: Uint8Array;
  readonly pairs: ReadonlyMap<number, readonly Entry[]>;
}

/** The same bytes in three forms. */
interface Block {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  readonly pairs: Uint16Array;
}

function createBlock(length: number): Block {
  const memory = new ArrayBuffer(length);
  return { bytes: Buffer.from(memory), words: new Int32Array(memory), pairs: new Uint16Array(memory) };
}

/**
 * Prepares a search for many patterns at once. A stream is read in aligned words of four bytes and pairs of two, each
 * looked up once in a table of marks, whatever the number of patterns; only where there is a mark, patterns are
 * compared. A pattern of seven bytes or more is entered by its words at four alignments, a shorter one by its pairs at
 * two.
 */
export function createMatcher(wanted: readonly Wanted[]): Matcher {
  const words = new Map<number, Entry[]>();
  const pairs = new Map<number, Entry[]>();
  for (const [index, { bytes, isNumber }] of wanted.entries()) {
    if (bytes.length < PATTERN_BYTES_MIN) throw new RangeError("a pattern has four bytes at least");
    const isLong = bytes.length >= LONG_BYTES;
    const width = isLong ? WORD_BYTES : PAIR_BYTES;
    const first = rarestStretch(bytes, 2 * width - 1);
    for (let anchor = first; anchor < first + width; anchor++) {
      const key = isLong ? bytes.readInt32LE(anchor) : bytes.readUInt16LE(anchor);
      addTo(isLong ? words : pairs, key, { index, bytes, isNumber, anchor });
    }
  }
  const wordMarks = new Uint8Array(2 ** MARK_BITS);
  for (const word of words.keys()) wordMarks[Math.imul(word, SPREAD) >>> MARK_SHIFT] = 1;
  const pairMarks = new Uint8Array(2 ** 16);
  for (const pair of pairs.keys()) pairMarks[pair] = 1;
  const longest = Math.max(PATTERN_BYTES_MIN, ...wanted.map(({ bytes }) => bytes.length));
  const tables = { wordMarks, words, pairMarks, pairs };
  const reach = WORD_BYTES * Math.ceil((longest + AROUND_BYTES) / WORD_BYTES);
  // Most files are small, and a new block for each would cost more than the search.
  const free: Block[] = [];
  return {
    begin(onMatch) {
      const block = free.pop() ?? createBlock(BLOCK_BYTES + 3 * reach);
      return beginStream(tables, reach, block, onMatch, () => free.push(block));
    },
  };
}

function addTo(map: Map<number, Entry[]>, key: number, entry: Entry): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [entry]);
  else known.push(entry);
}

/**
 * A stream keeps its last bytes, so that a match may lie across chunks. Each place is looked at once, when all that a
 * pattern there may reach is at hand.
 */
function beginStream(
  { wordMarks, words, pairMarks, pairs }: Tables,
  reach: number,
  { bytes: block, words: wordView, pairs: pairView }: Block,
  onMatch: OnMatch,
  release: () => void,
): MatcherStream {
  /** Of the first byte in the block, in the stream. */
  let blockOffset = 0;
  let filled = 0;
  /** The next word to look at. */
  let next = 0;

  function look(end: number): void {
    for (let at = next; ; at++) {
      at = nextMarked(wordMarks, pairMarks, wordView, pairView, at, end);
      if (at >= end) break;
      compare(words.get(wordView[at] ?? 0), WORD_BYTES * at);
      comparePair(2 * at);
      comparePair(2 * at + 1);
    }
    next = Math.max(next, end);
  }

  function comparePair(at: number): void {
    const pair = pairView[at] ?? 0;
    if (pairMarks[pair] === 1) compare(pairs.get(pair), PAIR_BYTES * at);
  }

  function compare(entries: readonly Entry[] | undefined, at: number): void {
    if (entries === undefined) return;
    for (const { index, bytes, isNumber, anchor } of entries) {
      const start = at - anchor;
      const end = start + bytes.length;
      if (start < 0 || end > filled || bytes.compare(block, start, end) !== 0) continue;
      if (isNumber && (isDigit(end) || (isDigit(start - 1) && !isEscape(start - 3)))) continue;
      const from = Math.max(0, start - AROUND_BYTES);
      const around = Buffer.from(block.subarray(from, Math.min(filled, end + AROUND_BYTES)));
      onMatch(index, blockOffset + start, around, start - from);
    }
  }

  function isDigit(at: number): boolean {
    const byte = at < 0 || at >= filled ? undefined : block[at];
    return byte !== undefined && byte >= 0x30 && byte <= 0x39;
  }

  /** Such as `%22`, whose last digit is none. */
  function isEscape(at: number): boolean {
    return at >= 0 && block[at] === 0x25;
  }

  /** Forgets what no further match can need. */
  function shift(): void {
    const from = Math.max(0, WORD_BYTES * next - reach);
    block.copyWithin(0, from, filled);
    blockOffset += from;
    filled -= from;
    next -= from / WORD_BYTES;
  }

  return {
    write(chunk) {
      for (let taken = 0; taken < chunk.length; ) {
        const count = chunk.copy(block, filled, taken);
        taken += count;
        filled += count;
        if (filled < block.length) return;
        look((filled - reach) / WORD_BYTES);
        shift();
      }
    },
    end() {
      const end = Math.ceil(filled / WORD_BYTES);
      block.fill(0, filled, WORD_BYTES * end);
      look(end);
      release();
    },
  };
}

/**
 * Finds the next word that has a mark itself or in one of its pairs. By itself, with nothing but arrays and numbers,
 * since all time is spent here.
 */
function nextMarked(
  wordMarks: Uint8Array,
  pairMarks: Uint8Array,
  words: Int32Array,
  pairs: Uint16Array,
  from: number,
  end: number,
): number {
  for (let at = from; at < end; at++) {
    const mark =
      (wordMarks[Math.imul(words[at] as number, SPREAD) >>> MARK_SHIFT] as number) |
      (pairMarks[pairs[2 * at] as number] as number) |
      (pairMarks[pairs[2 * at + 1] as number] as number);
    if (mark !== 0) return at;
  }
  return end;
}

/** Where the bytes that are least common in files begin. */
function rarestStretch(bytes: Buffer, length: number): number {
  let best = 0;
  let bestCost = Number.POSITIVE_INFINITY;
  for (let at = 0; at + length <= bytes.length; at++) {
    const cost = bytes.subarray(at, at + length).reduce((sum, byte) => sum + commonness(byte), 0);
    if (cost < bestCost) [best, bestCost] = [at, cost];
  }
  return best;
}

/** Roughly: zeros fill files, and much of the rest is text. */
function commonness(byte: number): number {
  if (byte === 0) return 8;
  if (byte === 0xff || byte === 1) return 3;
  if (byte >= 0x61 && byte <= 0x7a) return 2;
  return byte < 0x80 ? 1 : 0;
}
