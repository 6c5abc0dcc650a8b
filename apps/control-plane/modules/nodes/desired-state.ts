import type { PeerSpec } from "@securewave/contracts/node-protocol";
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
  /** The peers as nodes are told of them. */
  specs(): PeerSpec[];
  /** Of the last change that is in it; -1 while nothing was read. */
  revision(): number;
  /** Takes changes in; those that are in it already are left out, so that two readers cannot set it back. */
  absorb(changes: readonly PeerEntry[]): void;
  /** Notes that there is no change up to a revision that is not in it. */
  reach(revision: number): void;
}

/** @param always peers that no change brings or takes away, such as the prober's */
export function createDesiredState(always: Iterable<Peer> = []): DesiredState {
  const peers = createPeerSet(always);
  /** Of the peers that have one: it is no part of the set, nor of its hash. */
  const tiers = new Map<string, number>();
  let held = -1;

  function specOf({ publicKey, presharedKey, allowedIps }: Peer): PeerSpec {
    return {
      public_key: publicKey,
      preshared_key: presharedKey ?? null,
      allowed_ips: [...allowedIps],
      tier: tiers.get(publicKey) ?? 0,
    };
  }

  function take({ publicKey, spec }: PeerEntry): void {
    const key = parsePublicKey(publicKey);
    invariant(key, "a stored public key is one");
    tiers.delete(key);
    if (!spec) {
      peers.remove(key);
      return;
    }
    if (spec.tier > 0) tiers.set(key, spec.tier);
    const presharedKey = spec.preshared_key === null ? undefined : parsePresharedKey(spec.preshared_key);
    const peer: Peer = { publicKey: key, allowedIps: spec.allowed_ips };
    peers.upsert(presharedKey === undefined ? peer : { ...peer, presharedKey });
  }

  return {
    peers,
    specs: () => Array.from(peers, specOf),
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
