import { type Address, formatAddress, parseAddress } from "@securewave/wireguard";

/** Longer than any address with its zone, brackets and port. */
const LENGTH_MAX = 100;
/** `203.0.113.7:4711` and `[2001:db8::1]:4711`, as some proxies write it. */
const WITH_PORT = /^(?:\[(?<v6>[^\]]+)\](?::\d{1,5})?|(?<v4>[\d.]+):\d{1,5})$/;
/** RFC 4291 §2.5.5.2, without its last 32 bits. */
const MAPPED_PREFIX = 0xffffn;
const HOST_BITS_V6 = 64n;

/**
 * Writes an address in one way: RFC 5952, IPv4 for what is IPv4 inside IPv6, neither zone nor port.
 *
 * @returns undefined for what is no address
 */
export function canonicalAddress(text: string): string | undefined {
  const address = parseLoosely(text);
  return address && formatAddress(address);
}

/**
 * What is counted as one: an IPv4 address, or the /64 of an IPv6 address, of which one customer of an access
 * provider has all (RFC 6177).
 *
 * @returns undefined for what is no address
 */
export function networkOf(text: string): string | undefined {
  const address = parseLoosely(text);
  if (!address) return undefined;
  if (address.family === 4) return formatAddress(address);
  return formatAddress({ family: 6, value: (address.value >> HOST_BITS_V6) << HOST_BITS_V6 });
}

function parseLoosely(text: string): Address | undefined {
  if (text.length > LENGTH_MAX) return undefined;
  const { v6, v4 } = WITH_PORT.exec(text)?.groups ?? {};
  const [bare = ""] = (v6 ?? v4 ?? text).split("%");
  const address = parseAddress(bare);
  if (address?.family !== 6 || address.value >> 32n !== MAPPED_PREFIX) return address;
  return { family: 4, value: address.value & 0xffffffffn };
}
