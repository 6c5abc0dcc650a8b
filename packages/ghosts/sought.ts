import {
  encodingsOfCount,
  encodingsOfIpv4,
  encodingsOfIpv6,
  encodingsOfKey,
  encodingsOfName,
} from "./encodings.ts";
import type { Ghost, Kind } from "./identity.ts";
import type { Pattern } from "./pattern.ts";
import { encodingsOfTime } from "./time-encodings.ts";
import { encodingsOfTunnelIpv4, encodingsOfTunnelIpv6 } from "./tunnel-encodings.ts";

/** Everything that a ghost is looked for by, by kind. */
export function patternsOf(ghost: Ghost): { readonly kind: Kind; readonly pattern: Pattern }[] {
  const lists: Record<Kind, Pattern[]> = {
    ipv4: encodingsOfIpv4(ghost.ipv4, ghost.port),
    ipv6: encodingsOfIpv6(ghost.ipv6),
    dns_name: encodingsOfName(ghost.dnsName),
    tunnel_ipv4: ghost.tunnelIpv4 === undefined ? [] : encodingsOfTunnelIpv4(ghost.tunnelIpv4),
    tunnel_ipv6: ghost.tunnelIpv6 === undefined ? [] : encodingsOfTunnelIpv6(ghost.tunnelIpv6),
    public_key: ghost.publicKey === undefined ? [] : encodingsOfKey(ghost.publicKey),
    received_bytes: ghost.receivedBytes === undefined ? [] : encodingsOfCount(ghost.receivedBytes),
    sent_bytes: ghost.sentBytes === undefined ? [] : encodingsOfCount(ghost.sentBytes),
    time: ghost.atMicroseconds === undefined ? [] : encodingsOfTime(ghost.atMicroseconds),
  };
  return Object.entries(lists).flatMap(([kind, patterns]) =>
    patterns.map((pattern) => ({ kind: kind as Kind, pattern })),
  );
}
