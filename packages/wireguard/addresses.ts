/**
 * Arithmetic on IPv4 and IPv6 addresses and pools of them. Addresses cross the package's edge as canonical text
 * (IPv4 dotted decimal, IPv6 as in RFC 5952) and are numbers only inside.
 */
import { invariant } from "@securewave/foundation";

export type Family = 4 | 6;
export type Address = { readonly family: Family; readonly value: bigint };
/** A block of addresses in prefix notation. The bits below the prefix are zero. */
export type Pool = { readonly family: Family; readonly network: bigint; readonly prefixLength: number };
/** Indexes into a pool, both ends included. */
export type IndexRange = { readonly first: bigint; readonly last: bigint };

/** The node's own tunnel address in each pool. */
export const GATEWAY_INDEX = 1n;

/** Reads an address; undefined for leading zeros, zone ids and every other looseness. */
export function parseAddress(text: string): Address | undefined {
  const groups = parseGroups(text);
  return groups && { family: familyOf(groups), value: bigintOf(groups) };
}

export function formatAddress({ family, value }: Address): string {
  return formatGroups(groupsOf(family, value));
}

/** Reads a block such as `10.8.0.0/16`; undefined when bits below the prefix are set. */
export function parsePool(text: string): Pool | undefined {
  const parsed = parseWithLength(text);
  if (parsed === undefined) return undefined;
  const { groups, prefixLength } = parsed;
  const pool = { family: familyOf(groups), network: bigintOf(groups), prefixLength };
  return pool.network % size(pool) === 0n ? pool : undefined;
}

export function formatPool(pool: Pool): string {
  return `${formatAddress({ family: pool.family, value: pool.network })}/${pool.prefixLength}`;
}

/**
 * Reads what WireGuard accepts as an allowed IP (a bare address or a prefix, bits below it ignored) and gives the
 * text that WireGuard prints for it.
 */
export function canonicalAllowedIp(text: string): string | undefined {
  const parsed = parseWithLength(text);
  if (parsed === undefined) return undefined;
  const { groups, prefixLength } = parsed;
  const network = groups.map((group, index) => group & maskOf(prefixLength - index * GROUP_BITS));
  return `${formatGroups(network)}/${prefixLength}`;
}

/** Reads an interface's address with or without its prefix, and gives it in canonical text with the prefix. */
export function canonicalInterfaceAddress(text: string): string | undefined {
  const parsed = parseWithLength(text);
  return parsed && `${formatGroups(parsed.groups)}/${parsed.prefixLength}`;
}

/** How many addresses the pool has, usable or not. */
export function size(pool: Pool): bigint {
  return 1n << BigInt(bitsOf(pool.family) - pool.prefixLength);
}

/** The canonical text of the address at an index, counted from the network address. */
export function addressAt(pool: Pool, index: bigint | number): string {
  const offset = BigInt(index);
  invariant(offset >= 0n && offset < size(pool), "an index lies within its pool");
  return formatAddress({ family: pool.family, value: pool.network + offset });
}

/** The index of an address in the pool; undefined when it is no address or lies outside. */
export function indexOf(pool: Pool, text: string): bigint | undefined {
  const address = parseAddress(text);
  if (address === undefined || address.family !== pool.family) return undefined;
  const index = address.value - pool.network;
  return index >= 0n && index < size(pool) ? index : undefined;
}

export function contains(pool: Pool, text: string): boolean {
  return indexOf(pool, text) !== undefined;
}

/**
 * The indexes that devices may have: all but the network address (for IPv6 the subnet-router anycast address, RFC
 * 4291 §2.6.1), the gateway and the IPv4 broadcast address. Undefined when none is left.
 */
export function usableIndexes(pool: Pool): IndexRange | undefined {
  const first = GATEWAY_INDEX + 1n;
  const last = size(pool) - (pool.family === 4 ? 2n : 1n);
  return last < first ? undefined : { first, last };
}

function bitsOf(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** An address in 16-bit groups, from its front: two of IPv4, eight of IPv6. Much faster than big integers. */
type Groups = readonly number[];

const GROUP_BITS = 16;
const GROUP_MASK = 0xffff;
const GROUPS_IPV6 = 8;

function familyOf(groups: Groups): Family {
  return groups.length === GROUPS_IPV6 ? 6 : 4;
}

function bigintOf(groups: Groups): bigint {
  return groups.reduce((value, group) => (value << BigInt(GROUP_BITS)) | BigInt(group), 0n);
}

function groupsOf(family: Family, value: bigint): Groups {
  const groups: number[] = [];
  for (let shift = bitsOf(family) - GROUP_BITS; shift >= 0; shift -= GROUP_BITS) {
    groups.push(Number((value >> BigInt(shift)) & BigInt(GROUP_MASK)));
  }
  return groups;
}

/** The bits of a group that a prefix covers, of which so many are left for it and those behind it. */
function maskOf(bitsLeft: number): number {
  const bits = Math.min(Math.max(bitsLeft, 0), GROUP_BITS);
  return (GROUP_MASK << (GROUP_BITS - bits)) & GROUP_MASK;
}

function parseWithLength(text: string): { groups: Groups; prefixLength: number } | undefined {
  const slash = text.indexOf("/");
  const groups = parseGroups(slash === -1 ? text : text.slice(0, slash));
  if (groups === undefined) return undefined;
  const bits = bitsOf(familyOf(groups));
  if (slash === -1) return { groups, prefixLength: bits };
  const lengthText = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined;
  const prefixLength = Number(lengthText);
  return prefixLength <= bits ? { groups, prefixLength } : undefined;
}

function parseGroups(text: string): Groups | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function formatGroups(groups: Groups): string {
  return familyOf(groups) === 4 ? formatIpv4(groups) : formatIpv6(groups);
}

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

function parseIpv4(text: string): [number, number] | undefined {
  const octets = IPV4.exec(text);
  if (octets === null) return undefined;
  let value = 0;
  for (let index = 1; index <= 4; index++) {
    const octet = octets[index] ?? "";
    if (Number(octet) > 255 || (octet.length > 1 && octet.startsWith("0"))) return undefined;
    value = value * 256 + Number(octet);
  }
  return [value >>> GROUP_BITS, value & GROUP_MASK];
}

function formatIpv4([high = 0, low = 0]: Groups): string {
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** The forms of RFC 4291 §2.2: full, with one `::`, and with a dotted IPv4 tail. */
function parseIpv6(text: string): Groups | undefined {
  const gap = text.indexOf("::");
  if (gap === -1) {
    const groups = parseHexGroups(text, true);
    return groups?.length === GROUPS_IPV6 ? groups : undefined;
  }
  const head = parseHexGroups(text.slice(0, gap), false);
  const tail = parseHexGroups(text.slice(gap + 2), true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = GROUPS_IPV6 - head.length - tail.length;
  if (missing < 1) return undefined;
  for (let left = missing; left > 0; left--) head.push(0);
  return head.concat(tail);
}

/** The groups of `a:b:c`; of an address's last part also with an IPv4 address at its end. */
function parseHexGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  if (mayEndInIpv4 && text.includes(".")) {
    const colon = text.lastIndexOf(":");
    const groups = colon === -1 ? [] : readHexGroups(text.slice(0, colon));
    const ipv4 = parseIpv4(text.slice(colon + 1));
    return groups && ipv4 && groups.concat(ipv4);
  }
  return readHexGroups(text);
}

const COLON = 0x3a;
const DIGITS_MAX = 4;

function readHexGroups(text: string): number[] | undefined {
  const groups: number[] = [];
  let group = 0;
  let digits = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? COLON : text.charCodeAt(at);
    if (code === COLON) {
      if (digits === 0) return undefined;
      groups.push(group);
      group = 0;
      digits = 0;
    } else {
      const digit = hexDigit(code);
      if (digit === undefined || ++digits > DIGITS_MAX) return undefined;
      group = group * 16 + digit;
    }
  }
  return groups;
}

/** The value of `0` to `9`, `a` to `f` and `A` to `F`, by the character's code. */
function hexDigit(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : undefined;
}

/** RFC 5952 §4 and, for IPv4-mapped addresses, §5. */
function formatIpv6(groups: Groups): string {
  const { start, length } = longestZeroRun(groups);
  if (start === 0 && length === 5 && groups[5] === GROUP_MASK) return `::ffff:${formatIpv4(groups.slice(6))}`;
  // A single zero group is not shortened (§4.2.2).
  if (length < 2) return hexText(groups, 0, groups.length);
  return `${hexText(groups, 0, start)}::${hexText(groups, start + length, groups.length)}`;
}

function hexText(groups: Groups, from: number, to: number): string {
  let text = "";
  for (let index = from; index < to; index++) {
    text += `${index === from ? "" : ":"}${(groups[index] ?? 0).toString(16)}`;
  }
  return text;
}

/** The first of the longest runs of zero groups (RFC 5952 §4.2.3). */
function longestZeroRun(groups: Groups): { start: number; length: number } {
  let best = 0;
  let length = 0;
  let start = 0;
  for (let index = 0; index < groups.length; index++) {
    if (groups[index] !== 0) start = index + 1;
    else if (index + 1 - start > length) {
      best = start;
      length = index + 1 - start;
    }
  }
  return { start: best, length };
}
