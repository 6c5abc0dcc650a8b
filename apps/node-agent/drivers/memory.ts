import type { Peer, PublicKey } from "@securewave/wireguard";
import type { PeerCounters, WireGuardDriver } from "./driver.ts";

export interface MemoryDriver extends WireGuardDriver {
  readonly peers: Map<PublicKey, Peer>;
  /** What `reports` tells of connected peers. */
  readonly counters: Map<PublicKey, PeerCounters>;
  /** Entries applied since the start; a benchmark's measure of work. */
  readonly writes: { upserts: number; removals: number; reads: number; resets: number };
}

export interface MemoryDriverOptions {
  /** Whether WireGuard would refuse a peer. */
  readonly refuses?: (peer: Peer) => boolean;
  /** Runs before each call; a throw stands for an interface that is gone, a wait for a slow one. */
  readonly before?: () => Promise<void> | void;
}

/** An interface that exists in memory only, for tests and benchmarks of many agents in one process. */
export function createMemoryDriver(options: MemoryDriverOptions = {}): MemoryDriver {
  const peers = new Map<PublicKey, Peer>();
  const counters = new Map<PublicKey, PeerCounters>();
  const writes = { upserts: 0, removals: 0, reads: 0, resets: 0 };
  let exists = false;
  return {
    implementation: "userspace",
    peers,
    counters,
    writes,
    async open() {
      await options.before?.();
      const outcome = exists ? "adopted" : "created";
      exists = true;
      return outcome;
    },
    async read() {
      await options.before?.();
      writes.reads++;
      return [...peers.values()];
    },
    async apply({ upserts, removals }) {
      await options.before?.();
      const refused: PublicKey[] = [];
      for (const publicKey of removals) {
        writes.removals++;
        peers.delete(publicKey);
      }
      for (const { peer, before } of upserts) {
        writes.upserts++;
        if (options.refuses?.(peer)) {
          peers.delete(peer.publicKey);
          refused.push(peer.publicKey);
        } else if (before === undefined || peers.has(peer.publicKey)) {
          peers.set(peer.publicKey, peer);
        }
      }
      return refused;
    },
    async reports() {
      await options.before?.();
      return { peerCount: peers.size, counters: [...counters.values()] };
    },
    async reset(batch) {
      await options.before?.();
      const refused: PublicKey[] = [];
      for (const peer of batch) {
        writes.resets++;
        counters.delete(peer.publicKey);
        if (options.refuses?.(peer)) {
          peers.delete(peer.publicKey);
          refused.push(peer.publicKey);
        } else {
          peers.set(peer.publicKey, peer);
        }
      }
      return refused;
    },
    detach() {
      // Nothing is held.
    },
    async close() {
      exists = false;
      peers.clear();
    },
  };
}
