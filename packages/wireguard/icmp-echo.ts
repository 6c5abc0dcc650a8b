/** ICMP echo in packets of IPv4 and IPv6, whole as they go through a tunnel. */
import { invariant } from "@securewave/foundation";
import { type Address, parseAddress } from "./addresses.ts";

/** One question of `ping`. */
export type Echo = {
  /** Tunnel addresses of one family, in canonical text. */
  readonly from: string;
  readonly to: string;
  /** 16 bits each; an answer repeats both, and the data. */
  readonly identifier: number;
  readonly sequence: number;
  readonly data: Uint8Array;
};

/** RFC 791 §3.1; written without options. */
const IPV4_HEADER_BYTES = 20;
/** RFC 8200 §3 */
const IPV6_HEADER_BYTES = 40;
const ICMP_HEADER_BYTES = 8;
const HOPS_MAX = 64;

/** By family: the protocol's number, and its types of a request and a reply (RFC 792; RFC 4443 §4). */
const ICMP = {
  4: { protocol: 1, request: 8, reply: 0 },
  6: { protocol: 58, request: 128, reply: 129 },
} as const;

/** Writes the packet of a request. */
export function renderEchoRequest(echo: Echo): Buffer {
  const [from, to] = addressesOf(echo);
  const { protocol, request } = ICMP[to.family];
  const body = Buffer.alloc(ICMP_HEADER_BYTES + echo.data.length);
  body[0] = request;
  body.writeUInt16BE(echo.identifier, 4);
  body.writeUInt16BE(echo.sequence, 6);
  body.set(echo.data, ICMP_HEADER_BYTES);
  body.writeUInt16BE(checksum(pseudoHeader(from, to, body.length), body), 2);
  return Buffer.concat([
    to.family === 4
      ? ipv4Header(from, to, body.length, protocol)
      : ipv6Header(from, to, body.length, protocol),
    body,
  ]);
}

/** Whether a packet, with or without padding, is the answer to a request: right in both checksums, and to the last byte. */
export function isEchoReply(packet: Buffer, echo: Echo): boolean {
  const [from, to] = addressesOf(echo);
  const body = to.family === 4 ? ipv4Body(packet, to, from) : ipv6Body(packet, to, from);
  return (
    body !== undefined &&
    body.length === ICMP_HEADER_BYTES + echo.data.length &&
    body[0] === ICMP[to.family].reply &&
    body[1] === 0 &&
    checksum(pseudoHeader(to, from, body.length), body) === 0 &&
    body.readUInt16BE(4) === echo.identifier &&
    body.readUInt16BE(6) === echo.sequence &&
    body.subarray(ICMP_HEADER_BYTES).equals(echo.data)
  );
}

function addressesOf(echo: Echo): [from: Address, to: Address] {
  const [from, to] = [parseAddress(echo.from), parseAddress(echo.to)];
  invariant(from !== undefined && to !== undefined, "an echo goes from one address to another");
  invariant(from.family === to.family, "both addresses of an echo are of one family");
  return [from, to];
}

function ipv4Header(from: Address, to: Address, bodyBytes: number, protocol: number): Buffer {
  const header = Buffer.alloc(IPV4_HEADER_BYTES);
  header[0] = 0x45;
  header.writeUInt16BE(IPV4_HEADER_BYTES + bodyBytes, 2);
  header[8] = HOPS_MAX;
  header[9] = protocol;
  header.set(bytesOf(from), 12);
  header.set(bytesOf(to), 16);
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

function ipv6Header(from: Address, to: Address, bodyBytes: number, protocol: number): Buffer {
  const header = Buffer.alloc(IPV6_HEADER_BYTES);
  header[0] = 0x60;
  header.writeUInt16BE(bodyBytes, 4);
  header[6] = protocol;
  header[7] = HOPS_MAX;
  header.set(bytesOf(from), 8);
  header.set(bytesOf(to), 24);
  return header;
}

function ipv4Body(packet: Buffer, from: Address, to: Address): Buffer | undefined {
  if (packet.length < IPV4_HEADER_BYTES || packet[0] !== 0x45 || packet[9] !== ICMP[4].protocol)
    return undefined;
  const header = packet.subarray(0, IPV4_HEADER_BYTES);
  const totalBytes = packet.readUInt16BE(2);
  // The two low bits of byte 6 and byte 7 would make it a fragment; bit 6 of byte 6 says "do not fragment".
  const isFragment = (packet.readUInt16BE(6) & 0x3fff) !== 0;
  if (isFragment || totalBytes > packet.length || checksum(header) !== 0) return undefined;
  if (!header.subarray(12, 16).equals(bytesOf(from)) || !header.subarray(16, 20).equals(bytesOf(to)))
    return undefined;
  return packet.subarray(IPV4_HEADER_BYTES, Math.max(IPV4_HEADER_BYTES, totalBytes));
}

function ipv6Body(packet: Buffer, from: Address, to: Address): Buffer | undefined {
  if (packet.length < IPV6_HEADER_BYTES || (packet[0] ?? 0) >> 4 !== 6 || packet[6] !== ICMP[6].protocol)
    return undefined;
  const totalBytes = IPV6_HEADER_BYTES + packet.readUInt16BE(4);
  if (totalBytes > packet.length) return undefined;
  if (!packet.subarray(8, 24).equals(bytesOf(from)) || !packet.subarray(24, 40).equals(bytesOf(to)))
    return undefined;
  return packet.subarray(IPV6_HEADER_BYTES, totalBytes);
}

/** What ICMPv6 sums besides itself (RFC 8200 §8.1); ICMP of IPv4 sums nothing else. */
function pseudoHeader(from: Address, to: Address, bodyBytes: number): Buffer {
  if (to.family === 4) return Buffer.alloc(0);
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(bodyBytes, 0);
  tail[7] = ICMP[6].protocol;
  return Buffer.concat([bytesOf(from), bytesOf(to), tail]);
}

/** RFC 1071; 0 over bytes that hold their own right checksum. All parts but the last have an even length. */
function checksum(...parts: Buffer[]): number {
  let sum = 0;
  for (const part of parts) {
    for (const [index, byte] of part.entries()) sum += index % 2 === 0 ? byte << 8 : byte;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function bytesOf({ family, value }: Address): Buffer {
  return Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, "0"), "hex");
}
