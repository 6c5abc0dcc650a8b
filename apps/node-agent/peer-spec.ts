import type { PeerSpec } from "@securewave/contracts/node-protocol";
import { canonicalAllowedIp, type Peer, parsePresharedKey, parsePublicKey } from "@securewave/wireguard";

/** A peer as WireGuard needs it, which knows of no tiers. */
type WireGuardSpec = Omit<PeerSpec, "tier">;

/** Undefined when WireGuard would refuse the peer: a weak key, a preshared key of zeros, text that is no prefix. */
export function parsePeerSpec(spec: WireGuardSpec): Peer | undefined {
  const publicKey = parsePublicKey(spec.public_key);
  if (publicKey === undefined) return undefined;
  const allowedIps: string[] = [];
  for (const text of spec.allowed_ips) {
    const prefix = canonicalAllowedIp(text);
    if (prefix === undefined) return undefined;
    if (!allowedIps.includes(prefix)) allowedIps.push(prefix);
  }
  if (spec.preshared_key === null) return { publicKey, allowedIps };
  const presharedKey = parsePresharedKey(spec.preshared_key);
  return presharedKey && { publicKey, allowedIps, presharedKey };
}

/** Whether a spec says, in the same spelling, what the peer is. */
export function isSpecOf(spec: WireGuardSpec, peer: Peer): boolean {
  return (
    spec.public_key === peer.publicKey &&
    spec.preshared_key === (peer.presharedKey ?? null) &&
    spec.allowed_ips.length === peer.allowedIps.length &&
    spec.allowed_ips.every((prefix, index) => prefix === peer.allowedIps[index])
  );
}

export function toPeerSpec({ publicKey, presharedKey, allowedIps }: Peer, tier: number): PeerSpec {
  return { public_key: publicKey, preshared_key: presharedKey ?? null, allowed_ips: [...allowedIps], tier };
}
