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
  const family: Family = text.includes(":") ? 6 : 4;
  const value = family === 4 ? parseIpv4(text) : parseIpv6(text);
  return value === undefined ? undefined : { family, value };
}

export function formatAddress(address: Address): string {
  return address.family === 4 ? formatIpv4(address.value) : formatIpv6(address.value);
}

/** Reads a block such as `10.8.0.0/16`; undefined when bits below the prefix are set. */
export function parsePool(text: string): Pool | undefined {
  const parsed = parseWithLength(text);
  if (parsed === undefined) return undefined;
  const { address, prefixLength } = parsed;
  const pool = { family: address.family, network: address.value, prefixLength };
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
  const { address, prefixLength } = parsed;
  const blockSize = size({ family: address.family, network: 0n, prefixLength });
  return formatPool({
    family: address.family,
    network: address.value - (address.value % blockSize),
    prefixLength,
  });
}

/** Reads an interface's address with or without its prefix, and gives it in canonical text with the prefix. */
export function canonicalInterfaceAddress(text: string): string | undefined {
  const parsed = parseWithLength(text);
  return parsed && `${formatAddress(parsed.address)}/${parsed.prefixLength}`;
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

function parseWithLength(text: string): { address: Address; prefixLength: number } | undefined {
  const slash = text.indexOf("/");
  const address = parseAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = bitsOf(address.family);
  if (slash === -1) return { address, prefixLength: bits };
  const lengthText = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined;
  const prefixLength = Number(lengthText);
  return prefixLength <= bits ? { address, prefixLength } : undefined;
}

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

function parseIpv4(text: string): bigint | undefined {
  const octets = IPV4.exec(text)?.slice(1);
  if (octets === undefined) return undefined;
  let value = 0;
  for (const octet of octets) {
    if (Number(octet) > 255 || (octet.length > 1 && octet.startsWith("0"))) return undefined;
    value = value * 256 + Number(octet);
  }
  return BigInt(value);
}

function formatIpv4(value: bigint): string {
  const number = Number(value);
  return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
}

/** The forms of RFC 4291 §2.2: full, with one `::`, and with a dotted IPv4 tail. */
function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [headText = "", tailText] = halves;
  const head = parseGroups(headText, tailText === undefined);
  const tail = tailText === undefined ? [] : parseGroups(tailText, true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (tailText === undefined ? missing !== 0 : missing < 1) return undefined;
  let value = 0n;
  for (const group of [...head, ...new Array<number>(missing).fill(0), ...tail]) {
    value = (value << 16n) | BigInt(group);
  }
  return value;
}

/** The 16-bit groups of `a:b:c`; of the last text half also with an IPv4 address at its end. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      const ipv4 = mayEndInIpv4 && index === parts.length - 1 ? parseIpv4(part) : undefined;
      if (ipv4 === undefined) return undefined;
      groups.push(Number(ipv4 >> 16n), Number(ipv4 & 0xffffn));
    }
  }
  return groups;
}

/** RFC 5952 §4 and, for IPv4-mapped addresses, §5. */
function formatIpv6(value: bigint): string {
  if (value >> 32n === 0xffffn) return `::ffff:${formatIpv4(value & 0xffffffffn)}`;
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((value >> shift) & 0xffffn));
  const { start, length } = longestZeroRun(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  // A single zero group is not shortened (§4.2.2).
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

/** The first of the longest runs of zero groups (RFC 5952 §4.2.3). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
