import { hash as digestOf } from "node:crypto";
import type { PublicKey } from "./keys.ts";
import type { Peer } from "./peer.ts";

export type PeerSet = Iterable<Peer> & {
  readonly size: number;
  get(publicKey: PublicKey): Peer | undefined;
  /** Adds the peer, in place of one with the same key. */
  upsert(peer: Peer): void;
  /** Whether the peer was there. */
  remove(publicKey: PublicKey): boolean;
  /** 64 hexadecimal digits, the same for the same peers however they came in. */
  hash(): string;
};

export type PeerDiff = { readonly upserts: readonly Peer[]; readonly removals: readonly PublicKey[] };

const MODULUS_MASK = (1n << 256n) - 1n;

/**
 * A set of peers that knows its own hash; each change costs the same whatever the size.
 *
 * The hash is the sum modulo 2^256 of the SHA-256 of each peer. A sum, since it can be taken back and has no order; not
 * XOR, where anyone who chooses some 256 keys finds two sets of equal hash by linear algebra. It tells whether a node
 * missed a change; it is no signature against a node that lies.
 */
export function createPeerSet(peers: Iterable<Peer> = []): PeerSet {
  const entries = new Map<PublicKey, { readonly peer: Peer; readonly encoded: string }>();
  let sum = 0n;

  function remove(publicKey: PublicKey): boolean {
    const entry = entries.get(publicKey);
    if (entry === undefined) return false;
    sum = (sum - digestNumber(entry.encoded)) & MODULUS_MASK;
    return entries.delete(publicKey);
  }

  function upsert(peer: Peer): void {
    const encoded = encodePeer(peer);
    if (entries.get(peer.publicKey)?.encoded === encoded) return;
    remove(peer.publicKey);
    entries.set(peer.publicKey, { peer, encoded });
    sum = (sum + digestNumber(encoded)) & MODULUS_MASK;
  }

  for (const peer of peers) upsert(peer);
  return {
    get size() {
      return entries.size;
    },
    get: (publicKey) => entries.get(publicKey)?.peer,
    upsert,
    remove,
    hash: () => sum.toString(16).padStart(64, "0"),
    *[Symbol.iterator]() {
      for (const { peer } of entries.values()) yield peer;
    },
  };
}

/** What turns `current` into `desired`. Applied in any order it gives the same, as each upsert replaces allowed IPs. */
export function diffPeers(current: PeerSet, desired: PeerSet): PeerDiff {
  const upserts: Peer[] = [];
  const removals: PublicKey[] = [];
  for (const peer of desired) {
    const present = current.get(peer.publicKey);
    if (present === undefined || !isSamePeer(present, peer)) upserts.push(peer);
  }
  for (const peer of current) {
    if (desired.get(peer.publicKey) === undefined) removals.push(peer.publicKey);
  }
  return { upserts, removals };
}

function isSamePeer(one: Peer, other: Peer): boolean {
  const { allowedIps, presharedKey } = other;
  if (one.presharedKey !== presharedKey || one.allowedIps.length !== allowedIps.length) return false;
  return (
    one.allowedIps.every((prefix, index) => prefix === allowedIps[index]) ||
    encodePeer(one) === encodePeer(other)
  );
}

/** No field holds a comma or a line break, so no two peers share an encoding. */
function encodePeer(peer: Peer): string {
  const prefixes =
    peer.allowedIps.length > 1 ? peer.allowedIps.toSorted().join(",") : (peer.allowedIps[0] ?? "");
  return `${peer.publicKey}\n${peer.presharedKey ?? ""}\n${prefixes}`;
}

function digestNumber(encoded: string): bigint {
  return BigInt(`0x${digestOf("sha256", encoded, "hex")}`);
}
