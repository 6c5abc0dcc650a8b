import type { RestrictedPeer } from "@securewave/contracts/node-protocol";
import type { PublicKey } from "@securewave/wireguard";
import { parsePublicKey } from "@securewave/wireguard";

/** What the control plane wants of single devices beyond their being there. */
export interface Restrictions {
  readonly blocked: ReadonlySet<PublicKey>;
  /** Kilobits per second. */
  readonly throttled: ReadonlyMap<PublicKey, number>;
}

export function parseRestrictions(peers: readonly RestrictedPeer[]): Restrictions {
  const blocked = new Set<PublicKey>();
  const throttled = new Map<PublicKey, number>();
  for (const peer of peers) {
    const publicKey = parsePublicKey(peer.public_key);
    if (publicKey === undefined) continue;
    if (peer.kind === "blocked") blocked.add(publicKey);
    else throttled.set(publicKey, peer.kbit_per_second);
  }
  return { blocked, throttled };
}
