/** An address as 32-bit words, the highest first: one for IPv4, four for IPv6. */
export interface NetworkReader {
  /** What was read last; of IPv4 the first word only. */
  readonly words: Uint32Array;
  readonly prefixLength: number;
  readonly family: 4 | 6;
  /**
   * Reads an address or a network in CIDR form; bits below the prefix stay as they are. IPv4 inside IPv6 is IPv4.
   *
   * @returns false for what is neither
   */
  read(text: string): boolean;
}

const DOT = 46;
const ZERO = 48;
const COLON = 58;
const GROUPS = 8;
/** Before the IPv4 address in `::ffff:a.b.c.d`, RFC 4291 §2.5.5.2. */
const MAPPED_PREFIX_LENGTH = 96;

/** Reads a million lines without leaving anything behind for the garbage collector. */
export function createNetworkReader(): NetworkReader {
  const words = new Uint32Array(4);
  const groups = new Uint16Array(GROUPS);
  let prefixLength = 0;
  let family: 4 | 6 = 4;

  function readWide(text: string, end: number): boolean {
    if (!readIpv6(text, end, groups)) return false;
    for (let at = 0; at < 4; at++) words[at] = ((groups[at * 2] ?? 0) << 16) | (groups[at * 2 + 1] ?? 0);
    const isMapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
    if (!isMapped || prefixLength < MAPPED_PREFIX_LENGTH) return true;
    words[0] = words[3] ?? 0;
    family = 4;
    prefixLength -= MAPPED_PREFIX_LENGTH;
    return true;
  }

  return {
    words,
    get prefixLength() {
      return prefixLength;
    },
    get family() {
      return family;
    },
    read(text) {
      const slash = text.lastIndexOf("/");
      const end = slash === -1 ? text.length : slash;
      const narrow = readIpv4(text, 0, end);
      family = narrow === -1 ? 6 : 4;
      const bits = family === 4 ? 32 : 128;
      prefixLength = slash === -1 ? bits : readLength(text, slash + 1);
      if (prefixLength < 0 || prefixLength > bits) return false;
      if (family === 6) return readWide(text, end);
      words[0] = narrow;
      return true;
    },
  };
}

/** @returns -1 for what is no number in decimal without zeros in front */
function readLength(text: string, from: number): number {
  const digits = text.length - from;
  if (digits < 1 || digits > 3 || (digits > 1 && text.charCodeAt(from) === ZERO)) return -1;
  let length = 0;
  for (let at = from; at < text.length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

/** @returns -1 for what is no IPv4 address in dotted decimal */
function readIpv4(text: string, from: number, end: number): number {
  let value = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT && digits > 0) {
      value = value * 256 + part;
      part = 0;
      digits = 0;
      dots++;
      continue;
    }
    const digit = code - ZERO;
    const hasZeroInFront = digits > 0 && part === 0;
    if (digit < 0 || digit > 9 || hasZeroInFront) return -1;
    part = part * 10 + digit;
    digits++;
    if (part > 255) return -1;
  }
  return dots === 3 && digits > 0 ? value * 256 + part : -1;
}

/** The forms of RFC 4291 §2.2. */
function readIpv6(text: string, end: number, groups: Uint16Array): boolean {
  const gap = text.indexOf("::");
  if (gap === -1) return readGroups(text, 0, end, groups, 0, true) === GROUPS;
  const head = gap === 0 ? 0 : readGroups(text, 0, gap, groups, 0, false);
  const behind = gap + 2;
  const count = head === -1 || behind === end ? head : readGroups(text, behind, end, groups, head, true);
  return count !== -1 && fillGap(groups, head, count);
}

/** @returns how many groups there are in all with those read before, -1 for what is none */
function readGroups(
  text: string,
  from: number,
  end: number,
  groups: Uint16Array,
  before: number,
  mayEndInIpv4: boolean,
): number {
  let count = before;
  let at = from;
  for (;;) {
    const next = endOfGroup(text, at, end);
    if (next < end && text.charCodeAt(next) === DOT)
      return mayEndInIpv4 ? readTail(text, at, end, groups, count) : -1;
    if (next === at || count === GROUPS) return -1;
    groups[count++] = readHex(text, at, next);
    if (next === end) return count;
    if (text.charCodeAt(next) !== COLON) return -1;
    at = next + 1;
  }
}

/** An IPv4 address in the place of the last two groups. */
function readTail(text: string, from: number, end: number, groups: Uint16Array, count: number): number {
  const tail = readIpv4(text, from, end);
  if (tail === -1 || count > GROUPS - 2) return -1;
  groups[count] = tail >>> 16;
  groups[count + 1] = tail;
  return count + 2;
}

/** Moves what stands behind `::` to the end; it stands for one group at least. */
function fillGap(groups: Uint16Array, gap: number, count: number): boolean {
  if (count === GROUPS) return false;
  groups.copyWithin(GROUPS - (count - gap), gap, count);
  groups.fill(0, gap, GROUPS - (count - gap));
  return true;
}

/** The first place behind at most four hexadecimal digits. */
function endOfGroup(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && at < from + 4 && hexDigit(text.charCodeAt(at)) !== -1) at++;
  return at;
}

function readHex(text: string, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at++) value = value * 16 + hexDigit(text.charCodeAt(at));
  return value;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
