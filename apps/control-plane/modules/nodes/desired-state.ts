import { invariant } from "@securewave/foundation";
import { type Peer, parsePresharedKey, parsePublicKey } from "@securewave/wireguard";
import { createPeerSet, type PeerSet } from "@securewave/wireguard/peer-set";
import type { PeerEntry } from "./peer-source.ts";

/**
 * The peers that a node should have, as far as this process has read them. It is kept between a node's
 * connections: making it anew from 10,000 rows takes longer than bringing the node up to it.
 */
export interface DesiredState {
  readonly peers: PeerSet;
  /** Of the last change that is in it; -1 while nothing was read. */
  revision(): number;
  /** Takes changes in; those that are in it already are left out, so that two readers cannot set it back. */
  absorb(changes: readonly PeerEntry[]): void;
  /** Notes that there is no change up to a revision that is not in it. */
  reach(revision: number): void;
}

export function createDesiredState(): DesiredState {
  const peers = createPeerSet();
  let held = -1;

  function take({ publicKey, spec }: PeerEntry): void {
    const key = parsePublicKey(publicKey);
    invariant(key, "a stored public key is one");
    if (!spec) {
      peers.remove(key);
      return;
    }
    const presharedKey = spec.preshared_key === null ? undefined : parsePresharedKey(spec.preshared_key);
    const peer: Peer = { publicKey: key, allowedIps: spec.allowed_ips };
    peers.upsert(presharedKey === undefined ? peer : { ...peer, presharedKey });
  }

  return {
    peers,
    revision: () => held,
    absorb(changes) {
      for (const change of changes) {
        if (change.revision <= held) continue;
        take(change);
        held = change.revision;
      }
    },
    reach(revision) {
      held = Math.max(held, revision);
    },
  };
}
