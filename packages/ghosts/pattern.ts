/** Bytes that are looked for, and how unlikely they are. */
export interface Pattern {
  readonly bytes: Buffer;
  /** Such as `text`, `inet`, `sha256 of text, hex`. */
  readonly encoding: string;
  /**
   * Minus the binary logarithm of the chance that random content of the kind this encoding stands in (digits in a
   * column of numbers, base64 in a list of keys) has it at one place.
   */
  readonly bits: number;
  /** A match with a digit on either side is another, longer number. */
  readonly isNumber: boolean;
}

/** Below this many bytes, and bits, a pattern is everywhere. */
export const PATTERN_BYTES_MIN = 4;
export const PATTERN_BITS_MIN = 23;

const BASE64_BITS_MIN = 30;
const DIGIT_BITS = Math.log2(10);

/** Any bytes; each counts 8 bits, or `bits` in all. */
export function raw(encoding: string, bytes: Uint8Array, bits = 8 * bytes.length): Pattern {
  return { bytes: Buffer.from(bytes), encoding, bits, isNumber: false };
}

/** A text that stands among others of its kind: a digit counts as one of ten, a letter as one of sixteen. */
export function text(encoding: string, value: string, bits = bitsOfText(value)): Pattern {
  return { bytes: Buffer.from(value), encoding, bits, isNumber: false };
}

/** A text that begins and ends as a number. */
export function number(encoding: string, value: string, bits = bitsOfText(value)): Pattern {
  return { bytes: Buffer.from(value), encoding, bits, isNumber: true };
}

/** Digits and letters, each of which could as well be another; what stands between them is not counted twice. */
function bitsOfText(value: string): number {
  let bits = 0;
  for (const character of value) {
    if (character >= "0" && character <= "9") bits += DIGIT_BITS;
    else if (/[a-z]/i.test(character)) bits += 4;
    else bits += 6;
  }
  return bits;
}

/** Upper and lower case, once where there is no difference. */
export function bothCases(encoding: string, value: string, bits?: number): Pattern[] {
  const [lower, upper] = [value.toLowerCase(), value.toUpperCase()];
  const patterns = [text(encoding, lower, bits)];
  if (upper !== lower) patterns.push(text(`${encoding}, upper case`, upper, bits));
  return patterns;
}

/** The characters of base64 that do not depend on what stands before and behind, for the three alignments. */
export function base64Of(encoding: string, bytes: Uint8Array): Pattern[] {
  const patterns: Pattern[] = [];
  for (const lead of [0, 1, 2]) {
    const whole = Buffer.concat([Buffer.alloc(lead), bytes, Buffer.alloc(2)]).toString("base64");
    const first = Math.ceil((8 * lead) / 6);
    const end = Math.floor((8 * (lead + bytes.length)) / 6);
    const value = whole.slice(first, end);
    const url = value.replaceAll("+", "-").replaceAll("/", "_");
    // Shorter ones stand in every key and picture, and would only cost time.
    if (6 * value.length < BASE64_BITS_MIN) continue;
    patterns.push(text(`base64 of ${encoding}`, value, 6 * value.length));
    if (url !== value) patterns.push(text(`base64url of ${encoding}`, url, 6 * value.length));
  }
  return patterns;
}

/** Takes out what is too short, what occurs twice, and what a surer pattern of the same list would find anyhow. */
export function essential(patterns: readonly Pattern[]): Pattern[] {
  const byBytes = new Map<string, Pattern>();
  for (const pattern of patterns) {
    if (pattern.bytes.length < PATTERN_BYTES_MIN || pattern.bits < PATTERN_BITS_MIN) continue;
    const key = pattern.bytes.toString("latin1");
    const same = byBytes.get(key);
    if (same === undefined || same.bits < pattern.bits) byBytes.set(key, pattern);
  }
  const all = [...byBytes.values()].sort((a, b) => a.bytes.length - b.bytes.length);
  const kept: Pattern[] = [];
  for (const pattern of all) {
    const isFoundAnyhow = kept.some(
      (shorter) => shorter.bits >= SURE_BITS && !shorter.isNumber && pattern.bytes.includes(shorter.bytes),
    );
    if (!isFoundAnyhow) kept.push(pattern);
  }
  return kept;
}

/** From here on one match is proof in anything that a run can read; see `evidence.ts`. */
const SURE_BITS = 72;
