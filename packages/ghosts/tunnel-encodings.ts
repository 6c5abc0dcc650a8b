import { bytesOf, encodingsOfIpv4, encodingsOfIpv6, hashesOf, hexOf, wide } from "./encodings.ts";
import { base64Of, bothCases, essential, number, type Pattern, raw } from "./pattern.ts";

/**
 * An address of a tunnel, which a service hands out from its pool: small numbers, the next one the neighbour's. The
 * network says nothing of anybody, and its bytes are those of many numbers, so that the whole in words is looked for.
 */
export function encodingsOfTunnelIpv4(address: string): Pattern[] {
  return encodingsOfIpv4(address).filter(({ encoding }) => !/ of its network/.test(encoding));
}

/** The same of IPv6: a pool's /64 and, most often, a small number. */
export function encodingsOfTunnelIpv6(address: string): Pattern[] {
  if (!address.includes("::")) return encodingsOfIpv6(address);
  const bytes = bytesOf(address);
  const groups = bytes.toString("hex").match(/.{4}/g) ?? [];
  const escaped = (colon: string) => number(`with ${colon} for colons`, address.replaceAll(":", colon));
  return essential([
    number("text", address),
    number("text, upper case", address.toUpperCase()),
    ...bothCases("full text", groups.join(":")),
    ...["%3A", "%3a", "\\u003a", "-", "_"].map(escaped),
    ...wide("text", address),
    // What stands before it is the pool's, and the zeros are everybody's.
    raw("16 bytes", bytes, 48),
    ...hexOf("16 bytes", bytes, 48),
    ...base64Of("16 bytes", bytes),
    ...base64Of("text", Buffer.from(address)),
    ...hashesOf("text", address),
    ...hashesOf("full text", groups.join(":")),
    ...hashesOf("16 bytes", bytes),
  ]);
}
