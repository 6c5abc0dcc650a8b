import { createHmac } from "node:crypto";
import { invariant } from "@securewave/foundation";
import { encodeKey, type PrivateKey, type PublicKey, parsePrivateKey } from "@securewave/wireguard";
import { publicKeyOf } from "@securewave/wireguard/native-keys";

/** What of a ghost is looked for. */
export type Kind =
  | "ipv4"
  | "ipv6"
  | "dns_name"
  | "tunnel_ipv4"
  | "tunnel_ipv6"
  | "public_key"
  | "received_bytes"
  | "sent_bytes"
  | "time";

export const KINDS: readonly Kind[] = [
  "ipv4",
  "ipv6",
  "dns_name",
  "tunnel_ipv4",
  "tunnel_ipv6",
  "public_key",
  "received_bytes",
  "sent_bytes",
  "time",
];

/**
 * A made-up customer whose every property occurs nowhere else, so that any trace of it is a leak.
 *
 * A property that is `undefined` is not looked for.
 */
export interface Ghost {
  /** Such as `ghost-3`; stands in reports in place of what was found. */
  readonly name: string;
  /** Of 198.18.0.0/15, RFC 2544: no packet of the internet comes from there. */
  readonly ipv4: string;
  /** Of 2001:db8::/32, RFC 3849. */
  readonly ipv6: string;
  /** Where it connects from; too short to be looked for by itself. */
  readonly port: number;
  /** What it asks a resolver for. Below `.test`, RFC 6761. */
  readonly dnsName: string;
  readonly privateKey: PrivateKey;
  /** Undefined where a service keeps it by design and all that is searched is that service's. */
  readonly publicKey: PublicKey | undefined;
  readonly tunnelIpv4: string | undefined;
  readonly tunnelIpv6: string | undefined;
  readonly receivedBytes: number | undefined;
  readonly sentBytes: number | undefined;
  /** When its session was, in microseconds since 1970. */
  readonly atMicroseconds: bigint | undefined;
}

/** 2^52: numbers above have 16 digits, and all 53 bits that a double holds. */
const BYTES_MIN = 4_503_599_627_370_496;
/** Sessions of ghosts lie in the years 2071 to 2101, in which no honest clock writes. */
const FIRST_SECOND = 3_187_296_000n;
const SECONDS = 946_080_000n;

/**
 * Draws ghosts from a seed; who knows the seed can draw them again.
 *
 * Ghosts of different names never share an address, since `name` stands for a part of the seed and addresses are
 * drawn until they differ from those of the same call.
 */
export function drawGhosts(seed: Uint8Array, names: readonly string[]): Ghost[] {
  const taken = new Set<string>();
  return names.map((name) => {
    for (let attempt = 0; ; attempt++) {
      invariant(attempt < 1000, "there are more addresses than ghosts");
      const ghost = drawGhost(seed, `${name} ${attempt}`, name);
      const own = [ghost.ipv4, ghost.ipv6, ghost.tunnelIpv4 ?? "", ghost.tunnelIpv6 ?? ""];
      if (own.some((address) => taken.has(address))) continue;
      for (const address of own) taken.add(address);
      return ghost;
    }
  });
}

function drawGhost(seed: Uint8Array, purpose: string, name: string): Ghost {
  const draw = createDrawing(seed, purpose);
  // Octets of three digits are no part of other addresses' text, and are rare as bytes of text and of small numbers.
  const octet = () => 129 + draw.below(122);
  const group = () => (0x1001 + draw.below(0xdffe)).toString(16);
  const groups = (count: number) => Array.from({ length: count }, group).join(":");
  const privateKey = parsePrivateKey(encodeKey(clamp(draw.bytes(32))));
  invariant(privateKey !== undefined, "any 32 bytes make a private key once clamped");
  const letters = Array.from({ length: 20 }, () => String.fromCharCode(97 + draw.below(26))).join("");
  return {
    name,
    ipv4: `198.${18 + draw.below(2)}.${octet()}.${octet()}`,
    ipv6: `2001:db8:${groups(6)}`,
    port: 20_000 + draw.below(40_000),
    dnsName: `${letters}.test`,
    privateKey,
    publicKey: publicKeyOf(privateKey),
    tunnelIpv4: `10.${octet()}.${octet()}.${octet()}`,
    tunnelIpv6: `fd${hex(draw.bytes(1))}:${groups(7)}`,
    receivedBytes: BYTES_MIN + draw.below(2 ** 48 - 1) * 16 + 1,
    sentBytes: BYTES_MIN + draw.below(2 ** 48 - 1) * 16 + 3,
    atMicroseconds: drawTime(draw),
  };
}

/** An instant whose microseconds are odd and have all six digits. */
function drawTime(draw: Drawing): bigint {
  const second = FIRST_SECOND + (BigInt(draw.below(2 ** 47)) % SECONDS);
  return second * 1_000_000n + BigInt(100_001 + 2 * draw.below(449_999));
}

interface Drawing {
  bytes(count: number): Buffer;
  /** At most 2^48; the small bias of the remainder does not matter here. */
  below(limit: number): number;
}

function createDrawing(seed: Uint8Array, purpose: string): Drawing {
  let counter = 0;
  const bytes = (count: number) =>
    createHmac("sha256", seed).update(`${purpose}\0${counter++}`).digest().subarray(0, count);
  return { bytes, below: (limit) => bytes(6).readUIntBE(0, 6) % limit };
}

/** Curve25519, "Computing secret keys". */
function clamp(bytes: Buffer): Buffer {
  bytes.writeUInt8(bytes.readUInt8(0) & 248, 0);
  bytes.writeUInt8((bytes.readUInt8(31) & 127) | 64, 31);
  return bytes;
}

function hex(bytes: Buffer): string {
  return bytes.toString("hex");
}
